//! What `deploy/` says about the binary, held against the binary.

mod helm;
mod queries;
mod yaml;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::server::Place;
use queries::Series;

fn deploy(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy").join(path)
}

fn read(path: &str) -> String {
    let path = deploy(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every name in the environment that the binary reads.
fn variables(place: &Place) -> BTreeSet<String> {
    let page = String::from_utf8(place.run(&["reference", "configuration"]).stdout).unwrap();
    let lines = page.lines().filter_map(|line| line.strip_prefix("- In the environment: "));
    let names =
        lines.flat_map(|line| line.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>());
    let names: BTreeSet<String> = names.collect();
    assert!(names.contains("DATABASE_URL") && names.len() > 30, "{names:?}");
    names
}

/// The settings are ones that the binary has, with values that it takes.
fn check_settings(place: &Place, settings: &BTreeMap<String, String>) {
    let known = variables(place);
    for name in settings.keys() {
        assert!(known.contains(name), "{name} is no setting of this binary");
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_florin"));
    let shown = command.args(["config", "show"]).current_dir(&place.folder).env_clear().envs(settings);
    let shown = shown.output().unwrap();
    assert!(shown.status.success(), "{settings:?}\n{}", String::from_utf8_lossy(&shown.stderr));
}

/// Paths that are asked, in the container's words and in the binary's.
fn check_path(place: &Place, path: &str) {
    let server = place.serve(&[], Some("sk_test_none"));
    assert_eq!(server.ask("GET", path, &[], "").status, 200, "{path}");
    server.stop();
}

fn texts(map: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    map.as_object().unwrap().iter().map(|(name, value)| (name.clone(), text(value))).collect()
}

/// Every object of a kind.
fn of_kind<'d>(documents: &'d [Value], kind: &str) -> Vec<&'d Value> {
    documents.iter().filter(|document| document["kind"] == kind).collect()
}

/// What holds of the manifests, written by hand or by the chart.
fn check_manifests(place: &Place, documents: &[Value]) {
    for document in documents {
        assert!(document["apiVersion"].is_string() && document["metadata"]["name"].is_string(), "{document}");
    }
    let settings = texts(&of_kind(documents, "ConfigMap")[0]["data"]);
    check_settings(place, &settings);
    let port: u64 = settings["FLORIN_SERVER__PORT"].parse().unwrap();
    let metrics: u64 = settings["METRICS_PORT"].parse().unwrap();

    let deployment = of_kind(documents, "Deployment")[0];
    let pod = &deployment["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    let ports: BTreeMap<&str, u64> = container["ports"]
        .as_array()
        .unwrap()
        .iter()
        .map(|port| (port["name"].as_str().unwrap(), port["containerPort"].as_u64().unwrap()))
        .collect();
    assert_eq!(ports, BTreeMap::from([("http", port), ("metrics", metrics)]));
    let arguments: Vec<&str> =
        container["args"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(place.run(&[&arguments[..], &["--help"]].concat()).status.success(), "{arguments:?}");
    for probe in ["startupProbe", "readinessProbe", "livenessProbe"] {
        assert_eq!(container[probe]["httpGet"]["port"], "http", "{probe}");
        check_path(place, container[probe]["httpGet"]["path"].as_str().unwrap());
    }
    let security = &container["securityContext"];
    assert_eq!(security["readOnlyRootFilesystem"], true);
    assert_eq!(security["allowPrivilegeEscalation"], false);
    assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
    // stop_delay, then server.answer_within and a second, then five for what was begun.
    assert!(pod["terminationGracePeriodSeconds"].as_u64().unwrap() >= 60);

    let labels = &deployment["spec"]["template"]["metadata"]["labels"];
    let selects =
        |selector: &Value| selector.as_object().unwrap().iter().all(|(name, value)| labels[name] == *value);
    assert!(selects(&deployment["spec"]["selector"]["matchLabels"]));
    let service = of_kind(documents, "Service")[0];
    assert!(selects(&service["spec"]["selector"]));
    for port in service["spec"]["ports"].as_array().unwrap() {
        assert!(ports.contains_key(port["targetPort"].as_str().unwrap()), "{port}");
    }
    assert!(selects(&of_kind(documents, "PodDisruptionBudget")[0]["spec"]["selector"]["matchLabels"]));
    let policy = &of_kind(documents, "NetworkPolicy")[0]["spec"];
    assert!(selects(&policy["podSelector"]["matchLabels"]));
    let open: BTreeSet<u64> = policy["ingress"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|rule| rule["ports"].as_array().unwrap())
        .map(|port| port["port"].as_u64().unwrap())
        .collect();
    assert_eq!(open, [port, metrics].into());
    for monitor in of_kind(documents, "ServiceMonitor") {
        assert_eq!(monitor["spec"]["endpoints"][0]["port"], "metrics");
        assert_eq!(monitor["spec"]["endpoints"][0]["path"], "/metrics");
    }
}

#[test]
fn kubernetes_manifests_fit_the_binary() {
    let place = Place::sqlite("kubernetes");
    let mut documents = yaml::documents(&read("kubernetes/florin.yaml"));
    documents.extend(yaml::documents(&read("kubernetes/servicemonitor.yaml")));
    check_manifests(&place, &documents);
    let secret = yaml::document(&read("kubernetes/secret.example.yaml"));
    let known = variables(&place);
    assert!(texts(&secret["stringData"]).keys().all(|name| known.contains(name)), "{secret}");
}

/// All templates of the chart, rendered with its values and what `change` does to them.
fn chart(change: impl FnOnce(&mut Value)) -> Vec<Value> {
    let mut values = yaml::document(&read("helm/florin/values.yaml"));
    change(&mut values);
    let mut documents = Vec::new();
    for entry in std::fs::read_dir(deploy("helm/florin/templates")).unwrap().flatten() {
        let template = std::fs::read_to_string(entry.path()).unwrap();
        documents.extend(yaml::documents(&helm::render(&template, &values)));
    }
    documents
}

#[test]
fn the_chart_fits_the_binary() {
    let place = Place::sqlite("helm");
    check_manifests(&place, &chart(|_| {}));
    let changed = chart(|values| {
        values["server"]["port"] = json!(8080);
        values["image"]["tag"] = json!("9.9");
        values["serviceMonitor"]["enabled"] = json!(true);
        values["settings"] = json!({"FLORIN_LOG__LEVEL": "warn", "JAEGER_ENDPOINT": "http://jaeger:4318"});
    });
    check_manifests(&place, &changed);
    let container = &of_kind(&changed, "Deployment")[0]["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["image"], "florin:9.9");
    assert_eq!(of_kind(&changed, "ConfigMap")[0]["data"]["FLORIN_LOG__LEVEL"], "warn");
    assert_eq!(of_kind(&changed, "ServiceMonitor").len(), 1);
    assert!(
        chart(|values| values["networkPolicy"]["enabled"] = json!(false))
            .iter()
            .all(|document| document["kind"] != "NetworkPolicy")
    );
}

/// The schema names exactly what the values have.
#[test]
fn the_schema_of_the_values_is_whole() {
    fn same(schema: &Value, values: &Value, at: &str) {
        let Some(properties) = schema["properties"].as_object() else { return };
        let values = values.as_object().unwrap_or_else(|| panic!("{at} is no map"));
        let (named, given): (BTreeSet<_>, BTreeSet<_>) =
            (properties.keys().collect(), values.keys().collect());
        assert_eq!(named, given, "{at}");
        for (name, schema) in properties {
            same(schema, &values[name], &format!("{at}.{name}"));
        }
    }
    let schema: Value = serde_json::from_str(&read("helm/florin/values.schema.json")).unwrap();
    same(&schema, &yaml::document(&read("helm/florin/values.yaml")), "values");
}

#[test]
fn compose_fits_the_binary() {
    let place = Place::sqlite("compose");
    let compose = yaml::document(&read("compose.yaml"));
    let service = &compose["services"]["florin"];
    let mut settings = texts(&service["environment"]);
    for (name, value) in &mut settings {
        // As `docker compose` fills them in.
        *value = match name.as_str() {
            "DATABASE_URL" => value.replace("${POSTGRES_PASSWORD:?set it}", "secret"),
            "ENCRYPTION_KEY" => "0".repeat(64),
            "FLORIN_SERVER__TRUSTED_PROXIES" => value.replace("${FLORIN_TRUSTED_PROXIES:-}", ""),
            _ => value.replace("${FLORIN_PUBLIC_URL:-http://127.0.0.1:8000}", "http://127.0.0.1:8000"),
        };
    }
    check_settings(&place, &settings);
    let image = image();
    for port in service["ports"].as_array().unwrap() {
        let inside = port.as_str().unwrap().rsplit_once(':').unwrap().1;
        assert!(image.exposed.contains(&inside.to_owned()), "{port}");
    }
    assert_eq!(service["build"]["dockerfile"], "deploy/Dockerfile");
    assert_eq!(service["read_only"], true);
}

struct Image {
    settings: BTreeMap<String, String>,
    exposed: Vec<String>,
    commands: Vec<Vec<String>>,
    user: String,
}

/// What the last stage of the Dockerfile says.
fn image() -> Image {
    let text = read("Dockerfile").replace("\\\n", " ");
    let last = &text[text.rfind("\nFROM ").unwrap() + 1..];
    let mut image =
        Image { settings: BTreeMap::new(), exposed: Vec::new(), commands: Vec::new(), user: String::new() };
    for line in last.lines() {
        let (instruction, rest) = line.split_once(' ').unwrap_or((line, ""));
        match instruction {
            "ENV" => {
                let pairs = rest.split_whitespace().map(|pair| pair.split_once('=').unwrap());
                image.settings.extend(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
            }
            "EXPOSE" => image.exposed.extend(rest.split_whitespace().map(str::to_owned)),
            "USER" => rest.clone_into(&mut image.user),
            "CMD" | "ENTRYPOINT" | "HEALTHCHECK" => {
                let array = &rest[rest.find('[').unwrap()..];
                image.commands.push(serde_json::from_str(array).unwrap());
            }
            "FROM" | "COPY" | "WORKDIR" | "VOLUME" | "STOPSIGNAL" | "" | "#" => {}
            other => panic!("{other} is not known here"),
        }
    }
    image
}

#[test]
fn the_image_fits_the_binary() {
    let place = Place::sqlite("image");
    let image = image();
    check_settings(&place, &image.settings);
    assert_eq!(
        image.exposed,
        [image.settings["FLORIN_SERVER__PORT"].clone(), image.settings["METRICS_PORT"].clone()]
    );
    assert_ne!(image.user.split(':').next(), Some("0"));
    assert!(!image.user.is_empty() && image.user != "root");
    let [probe, entry, serve] = image.commands.as_slice() else { panic!("{:?}", image.commands) };
    assert_eq!(probe[0], entry[0]);
    for arguments in [&probe[1..], &serve[..]] {
        let mut arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        arguments.push("--help");
        assert!(place.run(&arguments).status.success(), "{arguments:?}");
    }
}

#[test]
fn the_probe_says_whether_it_is_ready() {
    let place = Place::sqlite("probe");
    let server = place.serve(&[("FLORIN_SERVER__STOP_DELAY", "3s")], None);
    let port = server.url.rsplit_once(':').unwrap().1.to_owned();
    let probe = || place.florin(&["probe"]).env("FLORIN_SERVER__PORT", &port).output().unwrap();
    assert!(probe().status.success());
    server.signal("TERM");
    std::thread::sleep(std::time::Duration::from_millis(500));
    let stopping = probe();
    assert_eq!(stopping.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&stopping.stderr).contains("not ready"));
    server.end();
    assert!(String::from_utf8_lossy(&probe().stderr).contains("does not answer"));
}

#[test]
fn the_unit_fits_the_binary() {
    let place = Place::sqlite("unit");
    let unit = read("systemd/florin.service");
    let mut settings = BTreeMap::new();
    let mut starts = 0;
    for line in unit.lines().filter(|line| !line.starts_with('#') && line.contains('=')) {
        let (name, value) = line.split_once('=').unwrap();
        match name {
            "Environment" => {
                let pairs = value.split(' ').map(|pair| pair.split_once('=').unwrap());
                settings.extend(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
            }
            "ExecStart" | "ExecStartPre" => {
                let words: Vec<&str> = value.split(' ').collect();
                assert_eq!(words[..3], ["/usr/local/bin/florin", "--config", "/etc/florin/florin.toml"]);
                let help = [&words[3..], &["--help"]].concat();
                assert!(place.run(&help).status.success(), "{value}");
                starts += 1;
            }
            _ => {}
        }
    }
    assert_eq!(starts, 2);
    check_settings(&place, &settings);
}

/// The series of a binary that has done a little of everything.
fn figures() -> Series {
    let place = Place::sqlite("figures");
    let server = place.serve(&[("FLORIN_SANDBOX__FAULTS__TIMEOUT_AFTER", "500")], None);
    for number in ["4242424242424242", "4000000000009995"] {
        for _ in 0..4 {
            let body = json!({"amount": 1000, "currency": "USD", "payment_method": {"type": "card",
                "card_number": number, "exp_month": 12, "exp_year": 2037, "cvc": "123"}});
            server.post("/api/v1/payments", &body);
        }
    }
    let page = server.ask("GET", "/metrics", &[], "").body;
    server.stop();
    let mut found = queries::series(&page);
    // Nothing of these happened; the table of families says what they would be.
    for family in node::metrics::FAMILIES {
        let labels = family.labels.iter().map(|label| (*label).to_owned());
        found.entry(family.name.to_owned()).or_default().extend(labels);
    }
    found
}

#[test]
fn dashboards_and_alerts_ask_for_figures_that_there_are() {
    let series = figures();
    let dashboard: Value = serde_json::from_str(&read("grafana/florin.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    assert!(panels.len() > 20);
    for panel in panels {
        queries::check(panel["targets"][0]["expr"].as_str().unwrap(), &series);
    }
    let manual = std::fs::read_to_string(deploy("../docs/operations.md")).unwrap();
    let rules = yaml::document(&read("prometheus/alerts.yaml"));
    for rule in rules["groups"][0]["rules"].as_array().unwrap() {
        queries::check(rule["expr"].as_str().unwrap(), &series);
        let (name, runbook) =
            (rule["alert"].as_str().unwrap(), rule["annotations"]["runbook"].as_str().unwrap());
        assert!(manual.contains(&format!("\n### {name}\n")), "docs/operations.md does not explain {name}");
        let anchor = name.to_lowercase();
        assert_eq!(runbook, format!("docs/operations.md#{anchor}"));
    }
    for family in node::metrics::FAMILIES {
        assert!(manual.contains(&format!("`{}`", family.name)), "docs/operations.md lacks {}", family.name);
    }
}

#[test]
fn each_family_has_the_labels_that_it_is_said_to_have() {
    let place = Place::sqlite("families");
    let server = place.serve(&[], None);
    let body = json!({"amount": 1000, "currency": "USD", "payment_method": {"type": "card",
        "card_number": "4242424242424242", "exp_month": 12, "exp_year": 2037, "cvc": "123"}});
    assert_eq!(server.post("/api/v1/payments", &body).status, 201);
    let page = server.ask("GET", "/metrics", &[], "").body;
    server.stop();
    let recorded = queries::series(&page);
    let mut seen = 0;
    for family in node::metrics::FAMILIES {
        let name = if family.kind == node::metrics::Kind::Histogram {
            format!("{}_sum", family.name)
        } else {
            family.name.to_owned()
        };
        let Some(labels) = recorded.get(&name) else { continue };
        let said: BTreeSet<String> = family.labels.iter().map(|label| (*label).to_owned()).collect();
        assert_eq!(labels, &said, "{name}");
        seen += 1;
    }
    assert!(seen > 20, "{seen} of {}", node::metrics::FAMILIES.len());
    let known: BTreeSet<&str> = node::metrics::FAMILIES.iter().map(|family| family.name).collect();
    for name in recorded.keys().filter(|name| !name.starts_with("process_") && *name != "florin_build_info") {
        let base =
            ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        assert!(known.contains(base) || known.contains(name.as_str()), "{name} stands in no table");
    }
}

#[test]
fn promtool_takes_the_rules() {
    for arguments in [
        ["check", "rules", "alerts.yaml"],
        ["test", "rules", "alerts.test.yaml"],
        ["check", "config", "prometheus.yaml"],
    ] {
        let checked = Command::new("promtool").args(arguments).current_dir(deploy("prometheus")).output();
        // `scripts/test` installs it; without it there is nothing to ask.
        let Ok(checked) = checked else { return };
        let said = String::from_utf8_lossy(&[checked.stdout, checked.stderr].concat()).into_owned();
        assert!(checked.status.success(), "{arguments:?}\n{said}");
    }
}
