//! The async runtime, for the few commands that talk to a network. All others must start at once, and do without.

use std::future::Future;
use std::io::{self, IsTerminal as _};
use std::time::Duration;

use crate::fault::Fault;
use crate::output;

/// How long people wait without asking themselves what is going on.
const PATIENCE: Duration = Duration::from_secs(2);

/// Runs `task` to its end on this thread.
pub(crate) fn block_on<T>(task: impl Future<Output = T>) -> Result<T, Fault> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Fault::failure(format!("cannot start: {error}")))?;
    Ok(runtime.block_on(task))
}

/// The same, and says on a terminal what takes so long, if it does.
pub(crate) fn block_on_patiently<T>(task: impl Future<Output = T>, what: &str) -> Result<T, Fault> {
    block_on(async {
        let mut task = std::pin::pin!(task);
        if let Ok(done) = tokio::time::timeout(PATIENCE, &mut task).await {
            return done;
        }
        if io::stderr().is_terminal() {
            output::progress(format_args!("{what} …"));
        }
        task.await
    })
}
