use super::*;

const ID: &str = "4e5c7a8b9d0f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f70819203";

fn unit(name: &str) -> Origin {
    Origin::Unit(name.to_owned())
}

fn container(engine: Option<Engine>) -> Origin {
    Origin::Container { engine, id: "4e5c7a8b9d0f".to_owned() }
}

#[track_caller]
fn comes(path: &str, origin: &Origin) {
    assert_eq!(parse(&format!("0::{path}\n")), *origin, "{path}");
}

#[test]
fn services_are_units() {
    comes("/system.slice/elasticsearch.service", &unit("elasticsearch.service"));
    let instance = "/system.slice/system-elasticsearch.slice/elasticsearch@data1.service";
    comes(instance, &unit("elasticsearch@data1.service"));
    comes("/search.slice/es-data1.service/sub", &unit("es-data1.service"));
    comes("/../es-data1.service", &unit("es-data1.service"));
}

#[test]
fn what_somebody_started_is_in_no_unit() {
    comes("/user.slice/user-1000.slice/session-3.scope", &Origin::Session);
    let user = "/user.slice/user-1000.slice/user@1000.service/app.slice";
    comes(&format!("{user}/es.service"), &Origin::UserUnit("es.service".to_owned()));
    comes(&format!("{user}/run-r1.scope"), &Origin::Session);
    comes("/", &Origin::Nowhere);
    comes("/init.scope", &Origin::Nowhere);
    assert_eq!(parse(""), Origin::Nowhere);
    assert_eq!(parse("nonsense"), Origin::Nowhere);
}

#[test]
fn containers_are_told_with_their_engine() {
    let docker = container(Some(Engine::Docker));
    comes(&format!("/system.slice/docker-{ID}.scope"), &docker);
    comes(&format!("/docker/{ID}"), &docker);
    comes(&format!("/system.slice/docker.service/docker/{ID}"), &docker);
    let podman = container(Some(Engine::Podman));
    comes(&format!("/machine.slice/libpod-{ID}.scope/container"), &podman);
    let user = "/user.slice/user-1000.slice/user@1000.service/user.slice";
    comes(&format!("{user}/libpod-{ID}.scope"), &podman);
    let pod = "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice";
    comes(&format!("{pod}/cri-containerd-{ID}.scope"), &container(None));
    comes(&format!("/kubepods/burstable/pod1/{ID}"), &container(None));
    let nested = format!("/system.slice/containerd.service/kubepods:cri-containerd:{ID}");
    comes(&nested, &container(None));
    // A unit with its container in its own group stops it.
    comes(&format!("/system.slice/es.service/libpod-payload-{ID}"), &unit("es.service"));
}

#[test]
fn older_systems_have_a_hierarchy_of_systemds() {
    let text = "12:pids:/system.slice/es.service\n5:cpu,cpuacct:/\n\
        1:name=systemd:/system.slice/es.service\n0::/\n";
    assert_eq!(parse(text), unit("es.service"));
    let hybrid = "1:name=systemd:/user.slice/user-0.slice/session-1.scope\n0::/\n";
    assert_eq!(parse(hybrid), Origin::Session);
    let docker = format!("11:memory:/docker/{ID}\n1:name=systemd:/docker/{ID}\n");
    assert_eq!(parse(&docker), container(Some(Engine::Docker)));
}

#[test]
fn what_to_do_names_what_was_found() {
    let podman = container(Some(Engine::Podman));
    assert_eq!(podman.to_string(), "runs in podman container 4e5c7a8b9d0f");
    assert_eq!(podman.what_to_do(), "say --service podman:4e5c7a8b9d0f");
    let cgroupfs = format!("9:name=systemd:/libpod_parent/libpod-{ID}\n2:cpuacct:/\n0::/\n");
    assert_eq!(parse(&cgroupfs), podman);
    let user = Origin::UserUnit("es.service".to_owned());
    assert!(user.what_to_do().contains("`systemctl --user stop es.service`"));
    assert!(container(None).what_to_do().ends_with("say --service none"));
}

#[test]
fn any_text_is_read() {
    proptest::proptest!(|(text in "[0-9:a-z@./\n-]{0,80}")| {
        let _ = parse(&text);
    });
}
