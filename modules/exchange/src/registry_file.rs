//! The declarative file (`registry.toml`): reads it whole, lists every fault with its line, and accepts
//! nothing of a file that has any. Comparing with what is stored belongs to `diff`.

use std::collections::{BTreeMap, BTreeSet};

use base::i18n::Text;
use kernel::identity::clients::wire_name_ok;
use toml::de::DeTable;

use crate::agreement::{self, Letter, MAX_LIST, MAX_TEXT, SecurityLevel};
use crate::code::{self, clip};
use crate::endpoint::Route;
use crate::key::{MemberKey, ServiceKey, SubsystemKey};
use crate::member::check_name;
use crate::openapi;
use crate::quota::Quota;
use crate::registry::{
    AgreementSpec, ClientSpec, DocumentSpec, InitialState, MemberSpec, Registry, ScopeSpec, ServiceSpec,
    SubsystemSpec,
};
use crate::sections::{At, Fault, Faults, Section};
use crate::service::{self, BaseUrl, ServiceKind, ServiceState};
use crate::t;

/// Largest file accepted, in bytes: about fifty thousand agreements.
pub const MAX_BYTES: usize = 32 * 1024 * 1024;

/// Gives the bytes of a file named in the registry file, relative to it.
pub type Attachments<'a> = &'a dyn Fn(&str) -> std::io::Result<Vec<u8>>;

/// Reads a registry file.
///
/// # Errors
/// Every fault found (at most [`crate::sections::MAX_FAULTS`]), in the order of the file.
pub fn read(bytes: &[u8], attachments: Attachments<'_>) -> Result<Registry, Vec<Fault>> {
    if bytes.len() > MAX_BYTES {
        return Err(vec![Fault::new(0, Text::both(|l| t::file_too_large(l, MAX_BYTES / 1024 / 1024)))]);
    }
    let text = std::str::from_utf8(bytes).map_err(|e| {
        let line = bytes[..e.valid_up_to()].iter().filter(|b| **b == b'\n').count() + 1;
        vec![Fault::new(line, Text::both(t::file_not_utf8))]
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut faults = Faults::new(text);
    let (document, broken) = DeTable::parse_recoverable(text);
    for error in broken {
        let line = error.span().map_or(0, |s| faults.line(s.start));
        faults.add(line, Text::both(|l| t::file_syntax(l, error.message())));
    }
    if !faults.is_empty() {
        return Err(faults.finish());
    }
    let mut reader = Reader { faults, attachments, registry: Registry::default() };
    reader.document(Section::new(document.get_ref(), 1));
    reader.references();
    let Reader { faults, registry, .. } = reader;
    if faults.is_empty() { Ok(registry) } else { Err(faults.finish()) }
}

struct Reader<'a> {
    faults: Faults,
    attachments: Attachments<'a>,
    registry: Registry,
}

impl Reader<'_> {
    fn document(&mut self, mut root: Section<'_, '_>) {
        if let Some(instance) = root.need_text("instance", &mut self.faults) {
            match code::check(&instance.value) {
                Ok(()) => self.registry.instance = instance.value,
                Err(text) => self.faults.add(instance.line, text),
            }
        }
        self.registry.complete = root.boolean("complete", &mut self.faults).unwrap_or(false);
        for section in root.tables("member", &mut self.faults) {
            self.member(section);
        }
        for section in root.tables("subsystem", &mut self.faults) {
            self.subsystem(section);
        }
        for section in root.tables("service", &mut self.faults) {
            self.service(section);
        }
        for section in root.tables("agreement", &mut self.faults) {
            self.agreement(section);
        }
        for section in root.tables("client", &mut self.faults) {
            self.client(section);
        }
        root.finish(&mut self.faults);
    }

    fn member(&mut self, mut s: Section<'_, '_>) {
        let class = self.code(&mut s, "class");
        let code = self.code(&mut s, "code");
        let name = self.name(&mut s);
        let agency = s.text("agency", &mut self.faults).map(|a| a.value);
        let line = s.line;
        s.finish(&mut self.faults);
        let (Some(class), Some(code), Some(name)) = (class, code, name) else { return };
        let key = MemberKey { class, code };
        let shown = key.to_string();
        let twice = self.registry.members.insert(key, MemberSpec { name, agency, line }).map(|old| old.line);
        self.twice(twice, line, "member", &shown);
    }

    fn subsystem(&mut self, mut s: Section<'_, '_>) {
        let member = s.need::<MemberKey>("member", &mut self.faults);
        let code = self.code(&mut s, "code");
        let name = self.name(&mut s);
        let line = s.line;
        s.finish(&mut self.faults);
        let (Some(member), Some(code), Some(name)) = (member, code, name) else { return };
        let key = SubsystemKey { member: member.value, code };
        let shown = key.to_string();
        let twice = self.registry.subsystems.insert(key, SubsystemSpec { name, line }).map(|old| old.line);
        self.twice(twice, line, "subsystem", &shown);
    }

    fn service(&mut self, mut s: Section<'_, '_>) {
        let subsystem = s.need::<SubsystemKey>("subsystem", &mut self.faults);
        let code = self.code(&mut s, "code");
        let name = self.name(&mut s);
        let kind = s.maybe::<ServiceKind>("kind", &mut self.faults).map(|k| k.value);
        let base_url = s.need::<BaseUrl>("base_url", &mut self.faults);
        let sandbox_url = s.maybe::<BaseUrl>("sandbox_url", &mut self.faults).map(|u| u.value);
        let timeout = match s.integer("timeout_seconds", &mut self.faults) {
            None => service::DEFAULT_TIMEOUT,
            Some(seconds) => service::timeout(seconds.value).unwrap_or_else(|text| {
                self.faults.add(seconds.line, text);
                service::DEFAULT_TIMEOUT
            }),
        };
        let enabled = s.boolean("enabled", &mut self.faults).unwrap_or(true);
        let notice = s.text("notice", &mut self.faults).map(|n| n.value).unwrap_or_default();
        let mut endpoints = BTreeMap::new();
        for endpoint in s.tables("endpoint", &mut self.faults) {
            self.endpoint(endpoint, &mut endpoints);
        }
        let file = s.text("openapi", &mut self.faults);
        let document = file.and_then(|file| self.openapi(file, &mut endpoints));
        if kind == Some(ServiceKind::OpenApi3) && document.is_none() && self.faults.is_empty() {
            self.faults.add(s.line, Text::both(t::file_openapi_missing));
        }
        let line = s.line;
        s.finish(&mut self.faults);
        let (Some(subsystem), Some(code), Some(name), Some(base_url)) = (subsystem, code, name, base_url)
        else {
            return;
        };
        let kind = kind.unwrap_or(if document.is_some() { ServiceKind::OpenApi3 } else { ServiceKind::Rest });
        let state = if enabled { ServiceState::Enabled } else { ServiceState::Disabled { notice } };
        let base_url = base_url.value;
        let key = ServiceKey { subsystem: subsystem.value, code };
        let shown = key.to_string();
        let spec =
            ServiceSpec { name, kind, base_url, sandbox_url, timeout, state, document, endpoints, line };
        let twice = self.registry.services.insert(key, spec).map(|old| old.line);
        self.twice(twice, line, "service", &shown);
    }

    fn endpoint(&mut self, mut s: Section<'_, '_>, into: &mut BTreeMap<Route, String>) {
        let method = s.need("method", &mut self.faults);
        let path = s.need("path", &mut self.faults);
        let name = s.text("name", &mut self.faults).map(|n| n.value).unwrap_or_default();
        let line = s.line;
        s.finish(&mut self.faults);
        let (Some(method), Some(path)) = (method, path) else { return };
        let route = Route { method: method.value, path: path.value };
        let shown = route.to_string();
        if into.insert(route, name).is_some() {
            self.faults.add(line, Text::both(|l| t::file_endpoint_twice(l, &shown)));
        }
    }

    /// Reads the document and adds its operations to the endpoints declared beside it.
    fn openapi(&mut self, file: At<String>, endpoints: &mut BTreeMap<Route, String>) -> Option<DocumentSpec> {
        let bytes = match (self.attachments)(&file.value) {
            Ok(bytes) => bytes,
            Err(e) => {
                let (name, why) = (clip(&file.value), e.to_string());
                self.faults.add(
                    file.line,
                    Text::both(|l| t::file_attachment(l, t::FileAttachment { name: &name, why: &why })),
                );
                return None;
            }
        };
        match openapi::read(&bytes) {
            Ok(document) => {
                for operation in document.operations {
                    endpoints.entry(operation.route).or_insert(operation.summary);
                }
                let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &bytes);
                Some(DocumentSpec { sha256: hex::encode(digest), bytes })
            }
            Err(fault) => {
                let (name, said) = (clip(&file.value), fault.sentence());
                self.faults.add(
                    file.line,
                    Text::both(|l| t::file_openapi(l, t::FileOpenapi { name: &name, what: said.get(l) })),
                );
                None
            }
        }
    }

    fn agreement(&mut self, mut s: Section<'_, '_>) {
        let number = s.need_text("number", &mut self.faults);
        let consumer = s.need::<SubsystemKey>("consumer", &mut self.faults);
        let service = s.need::<ServiceKey>("service", &mut self.faults);
        let scope = self.scope(&mut s);
        let purpose = s.need_text("purpose", &mut self.faults);
        let legal_basis = self.list(&mut s, "legal_basis");
        let fields = self.list(&mut s, "fields");
        self.check_fields(&fields, s.line);
        let quota = self.quota(&mut s);
        let from = s.need_date("valid_from", &mut self.faults);
        let to = s.need_date("valid_to", &mut self.faults);
        let letter = s.table("letter", &mut self.faults).and_then(|letter| self.letter(letter));
        let security = s.table("security", &mut self.faults).and_then(|level| self.security(level));
        let state = self.initial(&mut s);
        let line = s.line;
        s.finish(&mut self.faults);
        if let Some(number) = number.as_ref().filter(|n| n.value.chars().count() > code::MAX_CODE) {
            self.faults.add(number.line, Text::both(|l| t::text_too_long(l, code::MAX_CODE)));
        }
        if state == Some(InitialState::Approved) && letter.is_none() {
            self.faults.add(line, Text::both(t::file_letter_missing));
        }
        if let (Some(from), Some(to)) = (&from, &to)
            && to.value < from.value
        {
            let (first, last) = (from.value.vn(), to.value.vn());
            self.faults.add(
                to.line,
                Text::both(|l| t::validity_order(l, t::ValidityOrder { first: &first, last: &last })),
            );
        }
        let (Some(number), Some(consumer), Some(service), Some(scope)) = (number, consumer, service, scope)
        else {
            return;
        };
        let (Some(purpose), Some(from), Some(to), Some(state)) = (purpose, from, to, state) else { return };
        let spec = AgreementSpec {
            consumer: consumer.value,
            service: service.value,
            scope,
            purpose: purpose.value,
            legal_basis,
            fields,
            quota,
            valid_from: from.value,
            valid_to: to.value,
            letter,
            security,
            state,
            line,
        };
        let shown = clip(&number.value);
        let twice = self.registry.agreements.insert(number.value, spec).map(|old| old.line);
        self.twice(twice, line, "agreement", &shown);
    }

    fn scope(&mut self, s: &mut Section<'_, '_>) -> Option<ScopeSpec> {
        let Some(listed) = s.texts("endpoints", &mut self.faults) else { return Some(ScopeSpec::Whole) };
        if listed.is_empty() {
            self.faults.add(s.line, Text::both(t::scope_empty));
            return None;
        }
        let mut routes = BTreeSet::new();
        let mut sound = true;
        for item in listed {
            match item.value.parse::<Route>() {
                Ok(route) => {
                    routes.insert(route);
                }
                Err(text) => {
                    sound = false;
                    self.faults.add(item.line, text);
                }
            }
        }
        sound.then_some(ScopeSpec::Endpoints(routes))
    }

    fn quota(&mut self, s: &mut Section<'_, '_>) -> Quota {
        let mut calls = |name| {
            let given = s.integer(name, &mut self.faults)?;
            let limit = u32::try_from(given.value).unwrap_or(0);
            let quota = Quota { per_minute: Some(limit), per_day: None };
            if let Err(text) = quota.check() {
                self.faults.add(given.line, text);
            }
            Some(limit)
        };
        Quota { per_minute: calls("per_minute"), per_day: calls("per_day") }
    }

    fn letter(&mut self, mut s: Section<'_, '_>) -> Option<Letter> {
        let number = self.short(&mut s, "number");
        let date = s.need_date("date", &mut self.faults);
        s.finish(&mut self.faults);
        Some(Letter { number: number?, date: date?.value })
    }

    fn security(&mut self, mut s: Section<'_, '_>) -> Option<SecurityLevel> {
        let level = s.integer("level", &mut self.faults);
        let decision = self.short(&mut s, "decision");
        let line = s.line;
        s.finish(&mut self.faults);
        let known = level.as_ref().and_then(|l| u8::try_from(l.value).ok()).filter(|l| (1..=5).contains(l));
        if known.is_none() {
            self.faults.add(level.map_or(line, |l| l.line), Text::both(t::security_level_range));
        }
        Some(SecurityLevel { level: known?, decision: decision? })
    }

    fn initial(&mut self, s: &mut Section<'_, '_>) -> Option<InitialState> {
        let Some(given) = s.text("state", &mut self.faults) else { return Some(InitialState::Waiting) };
        match given.value.as_str() {
            "waiting" => Some(InitialState::Waiting),
            "approved" => Some(InitialState::Approved),
            other => {
                self.faults.add(given.line, Text::both(|l| t::file_state(l, clip(other))));
                None
            }
        }
    }

    fn client(&mut self, mut s: Section<'_, '_>) {
        let id = self.client_id(&mut s);
        let subsystem = s.need::<SubsystemKey>("subsystem", &mut self.faults);
        let line = s.line;
        s.finish(&mut self.faults);
        let (Some(id), Some(subsystem)) = (id, subsystem) else { return };
        let shown = id.clone();
        let spec = ClientSpec { subsystem: subsystem.value, line };
        let twice = self.registry.clients.insert(id, spec).map(|old| old.line);
        self.twice(twice, line, "client", &shown);
    }

    fn code(&mut self, s: &mut Section<'_, '_>, name: &'static str) -> Option<String> {
        let given = s.need_text(name, &mut self.faults)?;
        match code::check(&given.value) {
            Ok(()) => Some(given.value),
            Err(text) => {
                self.faults.add(given.line, text);
                None
            }
        }
    }

    fn client_id(&mut self, s: &mut Section<'_, '_>) -> Option<String> {
        let given = s.need_text("client_id", &mut self.faults)?;
        if !wire_name_ok(&given.value) {
            self.faults.add(given.line, Text::both(|l| t::client_id_form(l, clip(&given.value))));
            return None;
        }
        Some(given.value)
    }

    fn name(&mut self, s: &mut Section<'_, '_>) -> Option<String> {
        let given = s.need_text("name", &mut self.faults)?;
        match check_name(&given.value) {
            Ok(()) => Some(given.value),
            Err(text) => {
                self.faults.add(given.line, text);
                None
            }
        }
    }

    fn short(&mut self, s: &mut Section<'_, '_>, name: &'static str) -> Option<String> {
        let given = s.need_text(name, &mut self.faults)?;
        if given.value.chars().count() > MAX_TEXT {
            self.faults.add(given.line, Text::both(|l| t::text_too_long(l, MAX_TEXT)));
            return None;
        }
        Some(given.value)
    }

    fn list(&mut self, s: &mut Section<'_, '_>, name: &'static str) -> Vec<String> {
        let listed = s.texts(name, &mut self.faults).unwrap_or_default();
        let wrong = |x: &At<String>| x.value.trim().is_empty() || x.value.chars().count() > MAX_TEXT;
        if let Some(bad) = listed.iter().find(|x| wrong(x)).or_else(|| listed.get(MAX_LIST)) {
            self.faults.add(
                bad.line,
                Text::both(|l| t::list_form(l, t::ListForm { max_entries: MAX_LIST, max_text: MAX_TEXT })),
            );
        }
        listed.into_iter().map(|x| x.value).collect()
    }

    fn check_fields(&mut self, fields: &[String], line: usize) {
        for text in fields.iter().filter_map(|f| agreement::check_field(f).err()) {
            self.faults.add(line, text);
        }
    }

    fn twice(&mut self, first: Option<usize>, line: usize, what: &str, key: &str) {
        if let Some(first) = first {
            self.faults.add(line, Text::both(|l| t::file_twice(l, t::FileTwice { first, key, what })));
        }
    }

    /// Things that point to things the file does not have. What the tables already hold may not be pointed to
    /// from a file that does not name it: a file is read the same on every day and every node.
    fn references(&mut self) {
        let r = &self.registry;
        let mut dangling = Vec::new();
        for (key, s) in &r.subsystems {
            if !r.members.contains_key(&key.member) {
                dangling.push((s.line, format!("member {}", key.member)));
            }
        }
        for (key, s) in &r.services {
            if !r.subsystems.contains_key(&key.subsystem) {
                dangling.push((s.line, format!("subsystem {}", key.subsystem)));
            }
        }
        for a in r.agreements.values() {
            if !r.subsystems.contains_key(&a.consumer) {
                dangling.push((a.line, format!("subsystem {}", a.consumer)));
            }
            let Some(service) = r.services.get(&a.service) else {
                dangling.push((a.line, format!("service {}", a.service)));
                continue;
            };
            let ScopeSpec::Endpoints(routes) = &a.scope else { continue };
            for route in routes.iter().filter(|route| !service.endpoints.contains_key(route)) {
                dangling.push((a.line, format!("endpoint {route} ({})", a.service)));
            }
        }
        for c in r.clients.values() {
            if !r.subsystems.contains_key(&c.subsystem) {
                dangling.push((c.line, format!("subsystem {}", c.subsystem)));
            }
        }
        let own: Vec<_> =
            r.agreements.values().filter(|a| a.consumer == a.service.subsystem).map(|a| a.line).collect();
        for (line, target) in dangling {
            self.faults.add(line, Text::both(|l| t::file_dangling(l, &target)));
        }
        for line in own {
            self.faults.add(line, Text::both(t::file_own_service));
        }
    }
}
