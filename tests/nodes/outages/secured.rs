//! A node that is reached over TLS only, with a certificate of a private authority, and with a name
//! and a password: nginx before it, as many clusters have it.

use std::fs;
use std::time::Duration;

use super::About;
use super::scene::{REPAIR, play};
use crate::checks::Checks;
use crate::run::{output_of, succeed, wait_for};

const PASSWORD: &str = "correct-horse";
const FOLDER: &str = "/etc/front";
const URL: &str = "https://localhost:9243";

/// Makes the authority, the certificate and the front, and starts it.
const FRONT: &str = r#"
mkdir -p /etc/front && cd /etc/front
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout ca.key -out ca.pem -subj '/CN=Private authority'
openssl req -newkey rsa:2048 -nodes -keyout front.key -out front.csr -subj '/CN=localhost'
printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\n' > names
openssl x509 -req -in front.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out front.pem
printf 'ops:%s\n' "$(openssl passwd -apr1 "$1")" > users
chmod 0644 users front.key
cat > nginx.conf <<'CONF'
daemon off;
pid /run/front.pid;
error_log /var/log/front-error.log;
events {}
http {
  access_log /var/log/front-access.log;
  server {
    listen 127.0.0.1:9243 ssl;
    ssl_certificate /etc/front/front.pem;
    ssl_certificate_key /etc/front/front.key;
    auth_basic node;
    auth_basic_user_file /etc/front/users;
    location / { proxy_pass http://127.0.0.1:9200; }
  }
}
CONF
systemd-run --unit=front nginx -c /etc/front/nginx.conf
"#;

/// See the head of this file.
pub(super) fn tls(about: About<'_>, checks: &mut Checks) -> Result<(), String> {
    play(about, checks, |scene| {
        let shards = scene.broken()?;
        scene.checks.step("nginx with a certificate of its own authority and a password");
        succeed("sh", &["-euc", FRONT, "sh", PASSWORD])?;
        let (ca, credentials) = (format!("{FOLDER}/ca.pem"), format!("{FOLDER}/credentials"));
        let wrong = format!("{FOLDER}/wrong");
        for (path, password) in [(&credentials, PASSWORD), (&wrong, "battery-staple")] {
            fs::write(path, format!("basic ops:{password}\n"))
                .map_err(|error| error.to_string())?;
            succeed("chmod", &["0600", path])?;
        }
        let ask = ["--silent", "--cacert", &ca, "--user", &format!("ops:{PASSWORD}"), URL];
        let answers = wait_for(Duration::from_secs(10), || output_of("curl", &ask).is_ok());
        scene.checks.holds("the front answers", answers, || "it does not".to_owned());
        let log = "/var/log/front-access.log";
        fs::write(log, "").map_err(|error| error.to_string())?;

        let url = ["--dry-run", "--url", URL];
        let run = scene.text(
            "no-authority",
            4,
            &[&url[..], &["--credentials", &credentials]].concat(),
        )?;
        scene.says("that the certificate is not known", &run, &["certificate", "--ca"]);
        let words = [&url[..], &["--ca", &ca, "--credentials", &wrong]].concat();
        let run = scene.text("wrong-password", 4, &words)?;
        scene.says("that the password is not taken", &run, &["401"]);
        let words = [&REPAIR[..], &["--url", URL, "--ca", &ca, "--credentials", &credentials]];
        let run = scene.job("repair", 1, &words.concat())?;
        scene.is_green(&shards)?;
        let asked = fs::read_to_string(log).map_err(|error| error.to_string())?;
        let answered =
            asked.lines().filter(|line| line.contains(" ops ") && line.contains(" 200 "));
        let count = answered.count();
        scene.checks.holds("it has asked through the front", count > 0, || asked.clone());
        let kept =
            output_of("sh", &["-c", "grep -rl correct-horse /var/lib/es-translog-fix || true"])?;
        let journal = output_of("journalctl", &["--no-pager"])?;
        let is_secret = kept.trim().is_empty()
            && !journal.contains(PASSWORD)
            && !run.stdout.contains(PASSWORD)
            && !run.stderr.contains(PASSWORD);
        scene.checks.holds("the password is in nothing that it says or keeps", is_secret, || kept);
        scene.tool.keep(log.as_ref())
    })
}
