//! The walk over every endpoint of a module with those who come near to a right without having it, and with those it
//! passed to: what each is answered stands in a list of the module's tests. An endpoint that is not in the list fails.

use http::{Method, StatusCode};
use kernel::clock::Date;
use kernel::identity::{Appointment, Holding, Identity, Period};
use kernel::orgs::UnitId;
use kernel::{AppointmentId, Grants, Kernel, PersonId};
use web::Endpoint;

use crate::app::{Answer, App, Client};

/// What a visitor is answered at an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// Sent to sign in, or told 401.
    SignIn,
    /// Told that the right is missing (403).
    Denied,
    /// Told that there is no such thing (404): not even that it exists.
    Hidden,
    /// Answered, with nothing of the things in question.
    Empty,
    /// Answered, with things in question.
    Shown,
    /// Let through to the action; its rules may still say no (409, 412, 422).
    Acts,
    /// Answered as everybody is; nothing here belongs to anybody.
    Public,
}

/// One line of the list: method and path as mounted, then what the [`Cast`] is answered, in its order.
pub type Line = (&'static str, [Expect; 4]);

/// Who comes, in the order of the list.
#[derive(Clone)]
pub struct Cast {
    /// Nobody known.
    pub stranger: Client,
    /// The same role at another agency.
    pub neighbour: Client,
    /// Held the role at the agency that answers for the things; the appointment has ended.
    pub former: Client,
    /// Holds the role at the agency to which the function was transferred.
    pub successor: Client,
}

/// What the walk meets: things of an agency that has passed on its function.
pub struct Ground<'a> {
    /// Fills in the placeholders of a path with these things.
    pub path: &'a (dyn Fn(&Endpoint) -> String + Sync),
    /// What is sent to an endpoint that takes a body: a form to pages, JSON to interfaces.
    pub body: &'a (dyn Fn(&Endpoint) -> String + Sync),
    /// Texts by which the things are recognised in an answer.
    pub marks: &'a [&'a str],
}

/// What `identity` derives at this moment from an appointment to a role at an agency, from a day on, up to and
/// including the last one, if given.
pub async fn rights(k: &Kernel, role: &str, agency: UnitId, from: Date, until: Option<Date>) -> Grants {
    let appointment = Appointment {
        id: AppointmentId::new(&*k.clock, &*k.random),
        person: PersonId::new(&*k.clock, &*k.random),
        post: "Chuyên viên".into(),
        agency: Some(agency),
        field: None,
        holding: Holding::Substantive,
        period: Period::new(from, until).expect("a period that does not end before it begins"),
        roles: vec![role.into()],
        ended_at: None,
    };
    let identity = Identity::new(k).expect("the configuration of identity");
    identity.grants(k, &appointment).await.expect("the rights of an appointment")
}

impl App {
    /// An official with these [`rights`].
    pub async fn appointed(&self, role: &str, agency: UnitId, from: Date, until: Option<Date>) -> Client {
        self.log_in_with(rights(&self.t.kernel, role, agency, from, until).await.0)
    }

    /// The cast around an agency that has passed on its function: `successor` has taken it over, `neighbour` has
    /// nothing to do with it.
    pub async fn cast(&self, role: &str, successor: UnitId, neighbour: UnitId) -> Cast {
        let today = self.t.kernel.clock.now().date();
        let day = |days| today.plus_days(days).expect("a day near today");
        Cast {
            stranger: self.stranger(),
            neighbour: self.appointed(role, neighbour, day(-30), None).await,
            former: self.appointed(role, successor, day(-30), Some(day(-1))).await,
            successor: self.appointed(role, successor, day(-30), None).await,
        }
    }

    /// Sends the cast to every endpoint of a module. Returns what was answered otherwise than listed, and where list
    /// and endpoints differ.
    pub async fn unlike(&self, module: &str, cast: &Cast, list: &[Line], ground: &Ground<'_>) -> Vec<String> {
        let mut faults = Vec::new();
        let mut mounted: Vec<&Endpoint> = self.endpoints().iter().filter(|e| e.module == module).collect();
        // Whoever signs out is a stranger from then on.
        mounted.sort_by_key(|e| e.path == "/logout");
        for (n, (name, _)) in list.iter().enumerate() {
            if !mounted.iter().any(|e| named(e) == *name) {
                faults.push(format!("{name}: is listed, but there is no such endpoint"));
            }
            if list[..n].iter().any(|(other, _)| other == name) {
                faults.push(format!("{name}: is listed twice"));
            }
        }
        let people = [
            ("stranger", &cast.stranger),
            ("neighbour", &cast.neighbour),
            ("former holder", &cast.former),
            ("successor", &cast.successor),
        ];
        for e in mounted {
            let name = named(e);
            let Some((_, expected)) = list.iter().find(|(listed, _)| *listed == name) else {
                faults.push(format!("{name}: nobody has said who may do what here"));
                continue;
            };
            for ((who, client), expected) in people.iter().zip(expected) {
                let answer = visit(client, e, ground).await;
                if !expected.fits(e, &answer, ground.marks) {
                    let marked = marks_in(&answer, ground.marks);
                    faults.push(format!("{name}: {who}: {} {marked:?}, not {expected:?}", answer.status));
                }
            }
        }
        faults
    }
}

fn named(e: &Endpoint) -> String {
    format!("{} {}", e.method, e.path)
}

async fn visit(client: &Client, e: &Endpoint, ground: &Ground<'_>) -> Answer {
    let path = (ground.path)(e);
    if e.method == Method::GET {
        return client.get(&path).await;
    }
    let kind =
        if e.path.starts_with("/api/") { "application/json" } else { "application/x-www-form-urlencoded" };
    client.send(e.method.clone(), &path, Some(kind), &(ground.body)(e)).await
}

fn marks_in<'m>(answer: &Answer, marks: &'m [&'m str]) -> Vec<&'m str> {
    let text = answer.text();
    marks.iter().copied().filter(|mark| text.contains(mark)).collect()
}

impl Expect {
    fn fits(self, e: &Endpoint, answer: &Answer, marks: &[&str]) -> bool {
        let to_sign_in = answer.header("location").is_some_and(|at| at.starts_with("/login"));
        let none = marks_in(answer, marks).is_empty();
        let status = answer.status;
        match self {
            Self::SignIn => (status == StatusCode::UNAUTHORIZED || to_sign_in) && none,
            Self::Denied => status == StatusCode::FORBIDDEN && none,
            Self::Hidden => status == StatusCode::NOT_FOUND && none,
            Self::Empty => status.is_success() && none,
            Self::Shown => status.is_success() && !none && e.method == Method::GET,
            Self::Acts => {
                let by_rules = matches!(status.as_u16(), 409 | 412 | 422);
                by_rules || status.is_success() || (status.is_redirection() && !to_sign_in)
            }
            Self::Public => {
                let refused = matches!(status.as_u16(), 401 | 403) || (to_sign_in && e.path != "/logout");
                !refused && !status.is_server_error() && none
            }
        }
    }
}
