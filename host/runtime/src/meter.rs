//! Time and rates. `TurnClock` measures the CPU time of a turn: the thread's CPU clock is read each time the turn's
//! future is polled, so neither waiting for the host nor other people's load on the machine counts, and
//! the epoch callback can ask how far the budget is used while the guest runs. Work that the host does aside
//! for a call is not the guest's; what little it does on the guest's own fiber is. That work is taken out by the clock on the
//! wall, which is read without a system call: the CPU's, read around each of five calls, was a fifteenth of a SELECT. When the thread is
//! taken away during such work, the guest is charged too little, which hurts nobody.
//!
//! `Bucket` is a token bucket that holds one second's worth.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use crate::{
    aside::Aside,
    long_turns::{LongTurns, Pace, Permit},
};

/// CPU time of the turn that runs now, in nanoseconds.
#[derive(Debug)]
pub(crate) struct TurnClock {
    used: AtomicU64,
    poll_began: AtomicU64,
    /// To run on, once the turn is long.
    pub(crate) permit: Permit,
    pub(crate) long_turns: LongTurns,
    /// What the turns before took.
    pub(crate) pace: Pace,
    /// Where host calls leave their work.
    pub(crate) aside: Aside,
}

/// After this a turn that calls the host again and again lets others run: a flood of calls costs the guest itself little.
const STRETCH: Duration = Duration::from_micros(500);

fn thread_cpu_nanos() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    u64::try_from(now.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(now.tv_nsec).unwrap_or(0)
}

impl TurnClock {
    /// Of an instance whose turns are expected to take what those of its version take.
    pub(crate) fn new(long_turns: &LongTurns, version: &Pace) -> TurnClock {
        TurnClock {
            used: AtomicU64::new(0),
            poll_began: AtomicU64::new(0),
            permit: Permit::default(),
            long_turns: long_turns.clone(),
            pace: Pace::like(version),
            aside: Aside::default(),
        }
    }

    /// Forgets the turn before and returns what it used.
    pub(crate) fn restart(&self) -> Duration {
        Duration::from_nanos(self.used.swap(0, Ordering::Relaxed))
    }

    /// Waits for a permit, unless there is one.
    pub(crate) async fn permission(self: Arc<Self>) {
        if !self.permit.is_held() {
            self.long_turns.permit(&self.permit).await;
        }
    }

    /// Lets others run, then waits for a permit for the next tick.
    pub(crate) async fn next_tick(self: Arc<Self>) {
        tokio::task::yield_now().await;
        self.permission().await;
    }

    /// Used so far; called on the thread that polls the turn.
    pub(crate) fn used_now(&self) -> Duration {
        let running = thread_cpu_nanos().saturating_sub(self.poll_began.load(Ordering::Relaxed));
        Duration::from_nanos(self.used.load(Ordering::Relaxed).saturating_add(running))
    }

    fn poll_begins(&self) {
        self.poll_began.store(thread_cpu_nanos(), Ordering::Relaxed);
    }

    /// What the poll that runs now has spent on the host's own work.
    fn leave_out(&self, work: Duration) {
        let nanos = u64::try_from(work.as_nanos()).unwrap_or(u64::MAX);
        self.poll_began.fetch_add(nanos, Ordering::Relaxed);
    }

    fn poll_ends(&self) {
        let used = thread_cpu_nanos().saturating_sub(self.poll_began.load(Ordering::Relaxed));
        self.used.fetch_add(used, Ordering::Relaxed);
    }

    /// Runs a turn on this clock, and only while it has a permit when it is expected to be long.
    pub(crate) fn measure<F: Future>(self: &Arc<Self>, future: F) -> Measured<F> {
        Measured {
            future: Box::pin(future),
            clock: self.clone(),
            asks: self.pace.expects_a_long_turn(),
            asking: None,
        }
    }
}

/// A future whose polls are timed.
pub(crate) struct Measured<F> {
    future: Pin<Box<F>>,
    clock: Arc<TurnClock>,
    /// Whether it needs a permit from its start.
    asks: bool,
    asking: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl<F> Measured<F> {
    fn poll_permit(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.asks {
            let clock = &self.clock;
            let asking = self
                .asking
                .get_or_insert_with(|| Box::pin(clock.clone().permission()));
            ready!(asking.as_mut().poll(context));
            self.asking = None;
        }
        Poll::Ready(())
    }
}

impl<F: Future> Future for Measured<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let began = Instant::now();
        self.clock.poll_begins();
        let polled = loop {
            if self.poll_permit(context).is_pending() {
                break Poll::Pending;
            }
            let polled = self.future.as_mut().poll(context);
            self.clock.permit.give_back();
            if polled.is_ready() {
                break polled;
            }
            let left = Instant::now();
            if !self.clock.aside.begin() {
                break polled;
            }
            self.clock.leave_out(left.elapsed());
            if began.elapsed() > STRETCH {
                context.waker().wake_by_ref();
                break Poll::Pending;
            }
        };
        self.clock.poll_ends();
        polled
    }
}

/// Allows so many in a second, all at once if need be.
#[derive(Debug)]
pub(crate) struct Bucket {
    per_second: u64,
    /// Millionths of a token.
    level: u64,
    filled: Instant,
}

const WHOLE: u64 = 1_000_000;

impl Bucket {
    pub(crate) fn new(per_second: u64) -> Self {
        let per_second = per_second.clamp(1, 1 << 32);
        Bucket {
            per_second,
            level: per_second * WHOLE,
            filled: Instant::now(),
        }
    }

    /// Takes one; `Err` is how long until there is one.
    pub(crate) fn take(&mut self, now: Instant) -> Result<(), Duration> {
        let passed = u64::try_from(now.saturating_duration_since(self.filled).as_micros())
            .unwrap_or(u64::MAX);
        self.level = passed
            .saturating_mul(self.per_second)
            .saturating_add(self.level)
            .min(self.per_second * WHOLE);
        self.filled = now;
        if self.level >= WHOLE {
            self.level -= WHOLE;
            return Ok(());
        }
        Err(Duration::from_micros(
            (WHOLE - self.level).div_ceil(self.per_second),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_one_seconds_worth_and_refills() {
        let start = Instant::now();
        let mut bucket = Bucket {
            per_second: 2,
            level: 2 * WHOLE,
            filled: start,
        };
        assert_eq!(bucket.take(start), Ok(()));
        assert_eq!(bucket.take(start), Ok(()));
        assert_eq!(bucket.take(start), Err(Duration::from_millis(500)));
        assert_eq!(bucket.take(start + Duration::from_millis(500)), Ok(()));
    }

    #[tokio::test]
    async fn waiting_costs_no_cpu_time_and_work_does() {
        let clock = Arc::new(TurnClock::new(&LongTurns::new(1), &Pace::default()));
        clock
            .measure(tokio::time::sleep(Duration::from_millis(60)))
            .await;
        assert!(clock.restart() < Duration::from_millis(40));
        clock
            .measure(async {
                let began = Instant::now();
                while began.elapsed() < Duration::from_millis(30) {
                    std::hint::black_box(began.elapsed());
                }
            })
            .await;
        assert!(clock.restart() > Duration::from_millis(2));
    }
}
