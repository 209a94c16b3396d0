//! The async runtime, for the few commands that talk to a network. All others must start at once, and do without.

use std::future::Future;
use std::io::{self, IsTerminal as _};
use std::time::Duration;

use crate::fault::Fault;
use crate::terminal;

/// The time after which people are told what is being waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// Runs `task` to its end on this thread.
pub(crate) fn block_on<T>(task: impl Future<Output = T>) -> Result<T, Fault> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Fault::failure(format!("cannot start: {error}")))?;
    Ok(runtime.block_on(task))
}

/// Runs `task` to its end on as many threads as there are cores, with `blocking` more for work that takes a while. Whatever
/// else is still going on then is cut off.
pub(crate) fn block_on_all_cores<T>(
    blocking: usize,
    task: impl Future<Output = T>,
) -> Result<T, Fault> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .max_blocking_threads(blocking.max(1))
        .enable_all()
        .build()
        .map_err(|error| Fault::failure(format!("cannot start: {error}")))?;
    let done = runtime.block_on(task);
    runtime.shutdown_background();
    Ok(done)
}

/// The same as [`block_on`], and says on a terminal what takes so long, if it does.
pub(crate) fn block_on_patiently<T>(task: impl Future<Output = T>, what: &str) -> Result<T, Fault> {
    block_on(async {
        let mut task = std::pin::pin!(task);
        if let Ok(done) = tokio::time::timeout(PATIENCE, &mut task).await {
            return done;
        }
        if io::stderr().is_terminal() {
            terminal::progress(format_args!("{what} …"));
        }
        task.await
    })
}
