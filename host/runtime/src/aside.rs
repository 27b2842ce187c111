//! The work of a host call, done beside the guest's fiber. The call leaves its work here and lets the fiber go; who polls the
//! turn begins it there and then, on the thread's own stack and off the guest's clock. Most calls are answered from memory:
//! their work is done at that first poll. What has to wait becomes a task, which goes on when the call is given up.
//!
//! Not on the fiber: its stack is small, and its CPU time is the guest's. Not a task each time: tokio lets a task run
//! right after the one that spawned it three times in a row and then wakes another worker for it, so that a SELECT changed
//! threads in its middle, which took longer than all its work.

use std::{
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use tokio::task::JoinHandle;

type Beginning = Box<dyn FnOnce() + Send>;

/// Where the guest of one instance leaves work.
#[derive(Default)]
pub(crate) struct Aside(Mutex<Option<Beginning>>);

/// What became of work at its first poll.
pub(crate) enum Begun<T> {
    Done(T),
    Waits(JoinHandle<T>),
    Panicked,
}

impl Aside {
    /// Called on the fiber, within a turn that [`Aside::begin`]s what is left here.
    pub(crate) async fn leave<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Begun<T> {
        let begun = Arc::new(Mutex::new(None));
        let here = begun.clone();
        *lock(&self.0) = Some(Box::new(move || *lock(&here) = Some(first_poll(work))));
        poll_fn(|_| lock(&begun).take().map_or(Poll::Pending, Poll::Ready)).await
    }

    /// Begins what was left; whether there was anything. The fiber can go on then.
    pub(crate) fn begin(&self) -> bool {
        let beginning = lock(&self.0).take();
        beginning.map(|begin| begin()).is_some()
    }
}

impl std::fmt::Debug for Aside {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Aside").finish_non_exhaustive()
    }
}

/// Nobody has to be woken: what is not done at once is polled again as a task.
fn first_poll<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Begun<T> {
    let mut work = Box::pin(work);
    let mut context = Context::from_waker(Waker::noop());
    match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(&mut context))) {
        Ok(Poll::Ready(answer)) => Begun::Done(answer),
        Ok(Poll::Pending) => Begun::Waits(tokio::spawn(work)),
        Err(_) => Begun::Panicked,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        long_turns::{LongTurns, Pace},
        meter::TurnClock,
    };

    fn clock() -> Arc<TurnClock> {
        Arc::new(TurnClock::new(&LongTurns::new(1), &Pace::default()))
    }

    #[tokio::test]
    async fn work_that_need_not_wait_is_done_without_a_task() {
        let turn = async {
            let clock = clock();
            let work = async { tokio::task::id() };
            let begun = clock.measure(clock.aside.leave(work)).await;
            matches!(begun, Begun::Done(id) if id == tokio::task::id())
        };
        assert!(tokio::spawn(turn).await.unwrap());
    }

    #[tokio::test]
    async fn work_that_waits_goes_on_as_a_task() {
        let clock = clock();
        let (finish, finished) = tokio::sync::oneshot::channel();
        let begun = clock.measure(clock.aside.leave(finished)).await;
        let Begun::Waits(task) = begun else {
            panic!("it was done before it could be")
        };
        finish.send(7).unwrap();
        assert_eq!(task.await.unwrap(), Ok(7));
    }

    #[tokio::test]
    async fn a_flood_of_calls_lets_others_run() {
        let others = Arc::new(std::sync::atomic::AtomicU32::new(0));
        let count = others.clone();
        let other = tokio::spawn(async move {
            loop {
                count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                tokio::task::yield_now().await;
            }
        });
        let clock = clock();
        let spin = || async {
            let began = std::time::Instant::now();
            while began.elapsed() < std::time::Duration::from_micros(100) {
                std::hint::spin_loop();
            }
        };
        clock
            .measure(async {
                for _ in 0..100 {
                    clock.aside.leave(spin()).await;
                }
            })
            .await;
        other.abort();
        assert!(others.load(std::sync::atomic::Ordering::Relaxed) >= 5);
    }

    #[tokio::test]
    async fn a_panic_of_the_work_is_not_the_turns() {
        let clock = clock();
        let work = async { std::hint::black_box(None::<u32>).unwrap() };
        let begun = clock.measure(clock.aside.leave(work)).await;
        assert!(matches!(begun, Begun::Panicked));
    }
}
