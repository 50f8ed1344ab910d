//! Pages: opening and scrolling.

use plenary_shared::ids::{InstanceId, MeetingId};
use plenary_shared::protocol::PlanOk;

use crate::command::Nav;
use crate::model::layer::page::{Page, PageContent};
use crate::model::step::Step;

impl Step<'_> {
    /// Opens a page on top.
    pub(crate) fn open_page(&mut self, page: PageContent) {
        self.model.layers.push(Page::new(page));
    }

    /// Opens the page about the servers.
    pub(crate) fn open_servers(&mut self) {
        self.open_page(PageContent::Servers);
    }

    /// Opens the page about a meeting in the schedule.
    pub(crate) fn open_planned(&mut self, meeting: MeetingId) {
        self.open_page(PageContent::Planned(meeting));
    }

    /// Opens the report after a change of the schedule.
    pub(crate) fn open_plan_report(&mut self, ok: PlanOk) {
        self.open_page(PageContent::PlanReport(Box::new(ok)));
    }

    /// Opens the page for a user's messages, which were requested.
    pub(crate) fn open_user_messages(&mut self, instance: InstanceId, name: String) {
        self.open_page(PageContent::Messages {
            instance,
            name,
            said: None,
        });
    }

    /// Opens the page for the rule that lets a user join or not, which was requested.
    pub(crate) fn open_access(&mut self, instance: InstanceId, email: String) {
        self.open_page(PageContent::Access {
            instance,
            email,
            verdict: None,
        });
    }

    /// Scrolls the page.
    pub(crate) fn page_nav(&mut self, nav: Nav) {
        let Some(page) = self.model.layers.get::<Page>() else {
            return;
        };
        let (columns, height) = self.model.overlay_size();
        let height = height.saturating_sub(page.head_rows());
        let last = page.rows(self.model, columns).len().saturating_sub(height);
        let screen = height.saturating_sub(1).max(1);
        let to = nav.moved(page.scroll.min(last), last, screen);
        if let (Some(page), Some(to)) = (self.model.layers.get_mut::<Page>(), to) {
            page.scroll = to;
        }
    }
}
