//! Three seeded kill rounds in every run of the tests; `cargo xtask faults` does as many as one likes.

use scenarios::Options;
use scenarios::faults::{self, Plan};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_three_times_nothing_answered_is_lost_or_doubled() {
    let scratch = tempfile::tempdir().unwrap();
    let mut options = Options::new(&scratch.path().join("data")).unwrap();
    options.arguments = vec!["--rate".to_owned(), "0".to_owned()];
    let report = faults::run(&Plan::quick(20_250_701), options).await.unwrap();
    println!("{}", report.table());
    assert!(report.answered() > 0, "no call was answered: nothing was tested");
    assert!(report.wrong().is_empty(), "{:#?}", report.wrong());
}
