//! What waits for other servers, and what became of it.

use waxwing_transport::QueueMetrics;

use super::families::{self, Page};

pub(super) fn write(page: &mut Page, queue: QueueMetrics) {
    page.count(&families::QUEUED, &[], queue.messages);
    page.count(&families::QUEUED_RECIPIENTS, &[], queue.recipients);
    page.count(&families::QUEUE_ACTIVE, &[], queue.active);
    page.count(&families::QUEUE_DELIVERED, &[], queue.delivered);
    page.count(&families::QUEUE_DEFERRED, &[], queue.deferred);
    page.count(&families::QUEUE_FAILED, &[], queue.failed);
    page.count(&families::QUEUE_REPORTS, &[], queue.reports);
    page.count(&families::QUEUE_CONNECTIONS, &[], queue.connections);
}
