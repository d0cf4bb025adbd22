//! The pages: the list, a catalogue or mapping as of a day, its versions with what each changed, and the work of its
//! editors. Translation only; rights are in the questions and actions.

mod catalogue;
mod changes;
mod edit;
mod import;
mod list;
mod parts;
mod rows;
mod version;
mod words;

use web::Access;
use web::ui::Icon;

use crate::permissions::{EDIT, PUBLISH};
use crate::t;
use crate::table::MAX_BYTES;

/// What is public is read by everybody, so the pages stand open; what they show is the questions' to decide.
pub(crate) fn routes() -> web::Routes {
    let (edits, publishes) = (Access::Needs(EDIT), Access::Needs(PUBLISH));
    // The text of a file grows when a form carries it: every byte beyond ASCII becomes three.
    let form = 4 * MAX_BYTES;
    web::Routes::new()
        .get("/catalogues", Access::Public, list::page)
        .post("/catalogues", edits, edit::create)
        .get("/catalogues/export", Access::Public, list::export)
        .get("/catalogues/new", edits, edit::new)
        .get("/catalogues/{code}", Access::Public, catalogue::page)
        .get("/catalogues/{code}/export", Access::Public, rows::export)
        .get("/catalogues/{code}/edit", edits, edit::edit)
        .post("/catalogues/{code}/edit", edits, edit::update)
        .get("/catalogues/{code}/draft", edits, version::draft_form)
        .post("/catalogues/{code}/draft", edits, version::draft)
        .get("/catalogues/{code}/versions/{number}", Access::Public, version::page)
        .get("/catalogues/{code}/versions/{number}/import", edits, import::form)
        .post("/catalogues/{code}/versions/{number}/import", edits, import::compare)
        .limit(MAX_BYTES)
        .post("/catalogues/{code}/versions/{number}/rows", edits, import::apply)
        .limit(form)
        .get("/catalogues/{code}/versions/{number}/publish", publishes, version::publish_form)
        .post("/catalogues/{code}/versions/{number}/publish", publishes, version::publish)
        .get("/catalogues/{code}/versions/{number}/discard", edits, version::discard_form)
        .post("/catalogues/{code}/versions/{number}/discard", edits, version::discard)
}

pub(crate) fn nav() -> Vec<web::Nav> {
    let entry = web::Nav::new("/catalogues", Icon::ListDetails, t::nav_catalogues, Access::Public);
    vec![entry.group(t::nav_group).order(62)]
}
