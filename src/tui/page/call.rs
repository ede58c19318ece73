//! One call, whole: what was sent, and what came. Secrets were taken out before it was kept.

use super::Page;
use crate::config::theme::Role;
use crate::http::Call;
use crate::model::Bytes;

impl Page<'_> {
    pub(super) fn call(&mut self, call: &Call) {
        let title = format!("{} {}", call.method, call.url);
        let clean = self.state.clean(&title).into_owned();
        self.text(&clean, Role::Title);
        match (&call.status, &call.error) {
            (Some(status), _) => self.said("Status", &status.to_string()),
            (None, Some(why)) => self.said("No answer", why),
            (None, None) => {}
        }
        self.time("When", Some(call.at));
        self.said("Took", &format!("{} ms", call.millis));
        self.bytes("Came", Some(Bytes(call.bytes)));
        self.said("Attempt", &call.attempt.to_string());
        if let Some(id) = &call.request_id {
            self.said("Request", id);
        }
        self.heading("Sent");
        self.headers(&call.request_headers);
        if let Some(body) = &call.request_body {
            self.body(body);
        }
        self.heading("Came back");
        self.headers(&call.response_headers);
        self.body(&call.response_body);
    }

    fn headers(&mut self, headers: &[(String, String)]) {
        for (name, value) in headers {
            let clean = self.state.clean(&format!("{name}: {value}")).into_owned();
            self.text(&clean, Role::Dim);
        }
    }

    /// A body, laid out where it is JSON that was not cut.
    fn body(&mut self, body: &str) {
        if body.is_empty() {
            return;
        }
        self.blank();
        let pretty = serde_json::from_str::<serde_json::Value>(body)
            .and_then(|value| serde_json::to_string_pretty(&value));
        for line in pretty.as_deref().unwrap_or(body).lines() {
            let clean = self.state.clean(line).into_owned();
            self.text(&clean, Role::Text);
        }
    }
}
