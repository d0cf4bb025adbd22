//! Code that makes a call, in the languages vendors use, with the integrator's own identifiers filled in. Secrets never
//! stand in it: the reader puts theirs where `CLIENT_SECRET` is.

use crate::environment::Environment;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// What RFC 3986 does not let stand in a path segment, and quotes.
const SEGMENT: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'\'')
    .add(b'#')
    .add(b'%')
    .add(b'/')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'\\')
    .add(b'`')
    .add(b'$');

/// A path that is written as an address already: only what would end a string of some language is encoded.
const WRITTEN: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'\'').add(b'<').add(b'>').add(b'\\').add(b'`');

/// What a sample calls.
#[derive(Debug, Clone)]
pub struct Call<'a> {
    /// The platform's address, without a slash at the end.
    pub origin: &'a str,
    /// The token endpoint.
    pub token_url: &'a str,
    /// The credential's name.
    pub client_id: &'a str,
    /// `instance/class/member/subsystem` of the caller.
    pub client: &'a str,
    /// `instance/class/member/subsystem/service`.
    pub service: &'a str,
    /// The verb.
    pub method: &'a str,
    /// Path below the service, with what to fill in.
    pub path: &'a str,
    /// A JSON body, for verbs that carry one.
    pub body: Option<&'a str>,
    /// The environment to name, when it is not the one calls go to unasked.
    pub environment: Option<Environment>,
}

/// The path of a service on the gateway.
pub fn service_path(service: &str) -> String {
    let parts: Vec<String> =
        service.split('/').map(|p| utf8_percent_encode(p, SEGMENT).to_string()).collect();
    format!("/r1/{}", parts.join("/"))
}

impl Call<'_> {
    /// The header that names the environment, between what a language writes before, between and after.
    fn place(&self, before: &str, between: &str, after: &str) -> String {
        let header = |e: Environment| format!("{before}Lienthong-Environment{between}{e}{after}");
        self.environment.map_or_else(String::new, header)
    }

    fn url(&self) -> String {
        let path = utf8_percent_encode(self.path, WRITTEN);
        format!("{}{}{path}", self.origin, service_path(self.service))
    }

    /// A shell script of ten lines.
    pub fn curl(&self) -> String {
        let verb = if self.method == "GET" { String::new() } else { format!(" -X {}", self.method) };
        let body = match self.body {
            Some(body) => format!(
                " \\\n  -H 'Content-Type: application/json' \\\n  -d '{}'",
                body.replace('\'', "'\\''").replace('\n', "")
            ),
            None => String::new(),
        };
        format!(
            "TOKEN=$(curl -sS -u '{id}:CLIENT_SECRET' \\\n  -d grant_type=client_credentials \\\n  '{token}' \\\n  | \
             sed 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/')\n\ncurl -i{verb} '{url}' \\\n  -H \"Authorization: Bearer \
             $TOKEN\" \\\n  -H 'X-Road-Client: {client}' \\\n  -H 'Accept: application/json'{place}{body}\n",
            place = self.place(" \\\n  -H '", ": ", "'"),
            id = self.client_id,
            token = self.token_url,
            url = self.url(),
            client = self.client,
        )
    }

    /// Python with the `requests` library.
    pub fn python(&self) -> String {
        let body = self.body.map_or_else(String::new, |b| format!(",\n    data='''{b}'''.encode()"));
        let kind =
            if self.body.is_some() { ",\n             \"Content-Type\": \"application/json\"" } else { "" };
        format!(
            "import requests\n\ntoken = requests.post(\n    \"{token}\",\n    auth=(\"{id}\", \"CLIENT_SECRET\"),\n    \
             data={{\"grant_type\": \"client_credentials\"}}, timeout=10,\n).json()[\"access_token\"]\n\nanswer = \
             requests.request(\n    \"{method}\", \"{url}\",\n    headers={{\"Authorization\": f\"Bearer \
             {{token}}\",\n             \"X-Road-Client\": \"{client}\"{kind}{place}}},\n    timeout=30{body},\n)\n\
             print(answer.status_code, answer.headers[\"x-road-request-id\"])\nprint(answer.text)\n",
            place = self.place(",\n             \"", "\": \"", "\""),
            token = self.token_url,
            id = self.client_id,
            method = self.method,
            url = self.url(),
            client = self.client,
        )
    }

    /// Java 17 with the library's own client.
    pub fn java(&self) -> String {
        let (publisher, kind) = match self.body {
            Some(body) => (
                format!("HttpRequest.BodyPublishers.ofString(\"\"\"\n        {body}\"\"\")"),
                "\n    .header(\"Content-Type\", \"application/json\")",
            ),
            None => ("HttpRequest.BodyPublishers.noBody()".to_owned(), ""),
        };
        format!(
            "var http = HttpClient.newHttpClient();\nvar basic = Base64.getEncoder().encodeToString(\n    \
             \"{id}:CLIENT_SECRET\".getBytes(StandardCharsets.UTF_8));\nvar grant = http.send(HttpRequest.newBuilder(\n        \
             URI.create(\"{token}\"))\n    .header(\"Authorization\", \"Basic \" + basic)\n    \
             .header(\"Content-Type\", \"application/x-www-form-urlencoded\")\n    \
             .POST(HttpRequest.BodyPublishers.ofString(\"grant_type=client_credentials\")).build(),\n    \
             HttpResponse.BodyHandlers.ofString()).body();\nvar token = \
             grant.replaceAll(\"(?s).*\\\"access_token\\\":\\\"([^\\\"]*)\\\".*\", \"$1\");\n\nvar answer = \
             http.send(HttpRequest.newBuilder(\n        URI.create(\"{url}\"))\n    .timeout(Duration.ofSeconds(30))\n    \
             .header(\"Authorization\", \"Bearer \" + token)\n    .header(\"X-Road-Client\", \"{client}\"){kind}{place}\n    \
             .method(\"{method}\", {publisher}).build(),\n    HttpResponse.BodyHandlers.ofString());\n\
             System.out.println(answer.statusCode() + \" \" + answer.body());\n",
            place = self.place("\n    .header(\"", "\", \"", "\")"),
            token = self.token_url,
            id = self.client_id,
            method = self.method,
            url = self.url(),
            client = self.client,
        )
    }

    /// C# with .NET's own client.
    pub fn csharp(&self) -> String {
        let body = match self.body {
            Some(body) => format!(
                "request.Content = new StringContent(\"\"\"\n{body}\n\"\"\", Encoding.UTF8, \"application/json\");\n"
            ),
            None => String::new(),
        };
        format!(
            "using var http = new HttpClient {{ Timeout = TimeSpan.FromSeconds(30) }};\nvar ask = new \
             HttpRequestMessage(HttpMethod.Post, \"{token}\");\nask.Headers.Authorization = new(\"Basic\", \
             Convert.ToBase64String(\n    Encoding.UTF8.GetBytes(\"{id}:CLIENT_SECRET\")));\nask.Content = new \
             FormUrlEncodedContent(new Dictionary<string, string>\n    {{ [\"grant_type\"] = \"client_credentials\" \
             }});\nusing var grant = JsonDocument.Parse(\n    await (await \
             http.SendAsync(ask)).Content.ReadAsStringAsync());\nvar token = \
             grant.RootElement.GetProperty(\"access_token\").GetString();\n\nvar request = new HttpRequestMessage(\n    \
             new HttpMethod(\"{method}\"), \"{url}\");\nrequest.Headers.Authorization = new(\"Bearer\", \
             token);\nrequest.Headers.Add(\"X-Road-Client\", \"{client}\");\n{place}{body}var answer = await \
             http.SendAsync(request);\nConsole.WriteLine($\"{{(int)answer.StatusCode}} {{await \
             answer.Content.ReadAsStringAsync()}}\");\n",
            place = self.place("request.Headers.Add(\"", "\", \"", "\");\n"),
            token = self.token_url,
            id = self.client_id,
            method = self.method,
            url = self.url(),
            client = self.client,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_so_that_no_shell_reads_them() {
        let call = Call {
            origin: "https://truc.vn",
            token_url: "https://truc.vn/oauth2/token",
            client_id: "mot-cua",
            client: "VN/GOV/H38/motcua",
            service: "VN/GOV/C06/dancu/tra cứu",
            method: "POST",
            path: "/tìm'kiếm",
            body: Some("{\"ten\": \"O'Hara\"}"),
            environment: None,
        };
        let shell = call.curl();
        assert!(shell.contains("/r1/VN/GOV/C06/dancu/tra%20c%E1%BB%A9u/t%C3%ACm%27ki%E1%BA%BFm'"), "{shell}");
        assert!(shell.contains(r"O'\''Hara"), "{shell}");
        let asked = Call { path: "/cong-dan?ten=A%20B", ..call.clone() };
        assert!(asked.curl().contains("/cong-dan?ten=A%20B'"), "an address stays one: {}", asked.curl());
        let plain = Call { method: "GET", body: None, path: "/cong-dan/038", ..call };
        assert!(plain.curl().lines().count() <= 10, "{}", plain.curl());
        for sample in [plain.python(), plain.java(), plain.csharp()] {
            assert!(sample.contains("VN/GOV/H38/motcua") && sample.contains("/cong-dan/038"), "{sample}");
            assert!(!sample.contains("Lienthong-Environment"), "{sample}");
        }
        let tried = Call { environment: Some(Environment::Sandbox), ..plain };
        for sample in [tried.curl(), tried.python(), tried.java(), tried.csharp()] {
            let named = sample.lines().any(|l| l.contains("Lienthong-Environment") && l.contains("sandbox"));
            assert!(named, "{sample}");
        }
    }
}
