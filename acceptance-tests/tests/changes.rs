//! A team's topics change when the platform agrees, and not before: in both ways of running, with Kafka's own tools as
//! witness.

use std::{process::Command, time::Duration};

use acceptance_tests::{Engine, Stack, Workspace, binary, hcl, run};
use serde_json::Value;

use crate::{access::acting, connections::sasl, provider, servers};

const NAME: &str = "shipping.parcels";
const TOPIC: &str = "kafka_topic.it";

/// Within two partitions nobody has to agree to a new topic.
const PLATFORM: &str = r#"
resource "kafka_environment" "dev" {
  name                = "dev"
  platform_principals = ["User:ANONYMOUS"]
  approval = {
    changes = {
      topic = {
        create = { approval = "auto_if_within", partitions = 2 }
        update = { approval = "platform" }
        delete = { approval = "platform" }
      }
    }
  }
}

resource "kafka_application" "shipping" {
  name        = "shipping"
  environment = kafka_environment.dev.id
  owner       = { team = "shipping" }
  deployers   = ["User:team"]
}
"#;

const LOOKING: &str = r#"
data "kafka_access_requests" "changes" {
  kind   = "change"
  status = "pending"
}
"#;

/// A team and a platform on a broker of their own.
struct Story {
    stack: Stack,
    platform: Workspace,
    team: Workspace,
    is_deployer: bool,
}

impl Story {
    fn new(engine: &Engine, is_deployer: bool) -> Self {
        let stack = Stack::start().expect("a broker starts");
        let platform = Workspace::new(engine);
        platform.write("provider.tf", &provider(&servers(&stack.plaintext())));
        platform.write("main.tf", PLATFORM);
        platform.applies();
        let team = if is_deployer {
            let team = Workspace::new(engine);
            team.write("provider.tf", &provider(&sasl(&stack, "SCRAM-SHA-512", Stack::TEAM)));
            team
        } else {
            acting(engine, &stack, "shipping")
        };
        Self { stack, platform, team, is_deployer }
    }

    fn declares(&self, partitions: u32, retention: &str) {
        let config = format!("config = {{ \"retention.ms\" = {} }}", hcl(retention));
        let block = format!(
            "resource \"kafka_topic\" \"it\" {{\n name = {}\n partitions = {partitions}\n replication_factor = 1\n{config}\n}}\n",
            hcl(NAME)
        );
        self.team.write("main.tf", &block);
    }

    /// Declares what somebody must agree to.
    #[track_caller]
    fn asks(&self, partitions: u32, retention: &str) {
        self.declares(partitions, retention);
        self.team.plan().says(&["Change needs approval", NAME]);
        self.team.applies();
        self.team.plans_nothing();
        self.reconcile();
        self.team.plans_nothing();
        assert_eq!(self.team.attributes(TOPIC)["status"], "requested");
    }

    /// What whoever runs it on a schedule does with what a deployer filed.
    #[track_caller]
    fn reconcile(&self) {
        if self.is_deployer {
            let mut command = Command::new(binary());
            command.arg("reconcile").env("KAFKA_BOOTSTRAP_SERVERS", self.stack.plaintext());
            run(&mut command, Duration::from_mins(1)).expect("it ends").success();
        }
    }

    /// What waits for the platform.
    #[track_caller]
    fn waiting(&self) -> Value {
        self.platform.write("looking.tf", LOOKING);
        self.platform.applies();
        let found = self.platform.attributes("data.kafka_access_requests.changes")["requests"].clone();
        self.platform.remove("looking.tf");
        assert_eq!(found.as_array().map(Vec::len), Some(1), "{found}");
        found[0].clone()
    }

    /// Decides, in a block that stays.
    #[track_caller]
    fn decides(&self, block: &str, decision: &str) {
        let request = self.waiting();
        let of = |attribute: &str| hcl(request[attribute].as_str().expect("a request has it"));
        let text = format!(
            "resource \"kafka_access_decision\" \"{block}\" {{\n request_id = {}\n revision = {}\n decision = {}\n reason = \
             \"We looked.\"\n as = \"platform\"\n}}\n",
            of("id"),
            of("revision"),
            hcl(decision)
        );
        self.platform.write(&format!("{block}.tf"), &text);
        self.platform.applies();
        self.platform.plans_nothing();
    }

    /// What Kafka's own tools say of the topic.
    #[track_caller]
    fn is(&self, partitions: u32, retention: &str) {
        let found = self.stack.topic(NAME).expect("it is there");
        let config = found.config.get("retention.ms").map(String::as_str);
        assert_eq!((found.partitions, config), (partitions, Some(retention)), "{found:?}");
    }

    #[track_caller]
    fn is_ready(&self) {
        self.team.run(&["apply", "-refresh-only", "-auto-approve", "-no-color", "-input=false"]).success();
        self.team.plans_nothing();
        let it = self.team.attributes(TOPIC);
        assert_eq!((&it["status"], &it["request_id"]), (&"ready".into(), &Value::Null));
    }
}

#[test]
fn a_topic_changes_when_the_platform_agrees_and_not_before() {
    for (engine, is_deployer) in Engine::usual().into_iter().flat_map(|it| [(it.clone(), false), (it, true)]) {
        let story = Story::new(&engine, is_deployer);
        story.asks(12, "60000");
        assert_eq!(story.stack.topic(NAME), None, "nobody agreed to it");
        let request = story.waiting();
        assert_eq!((&request["verb"], &request["partitions"]), (&"create".into(), &12.into()));
        assert_eq!(request["config"]["retention.ms"], "60000");
        assert_eq!(story.team.attributes(TOPIC)["request_id"], request["id"]);
        story.decides("made", "approve");
        story.is(12, "60000");
        story.is_ready();

        // Another change than the one that was agreed to.
        story.asks(13, "60000");
        story.is(12, "60000");
        story.decides("grown", "reject");
        // Free text is for those who may read it.
        let said = if is_deployer { "rejected the request" } else { "We looked." };
        story.team.plan().says(&["Change rejected", said]);
        story.team.plans_nothing();
        assert_eq!(story.stack.topic(NAME).expect("it is there").partitions, 12);
        story.declares(12, "60000");
        story.team.applies();
        story.reconcile();
        story.is_ready();
        story.asks(12, "70000");
        story.is(12, "60000");
        story.decides("kept", "approve");
        story.is(12, "70000");
        story.is_ready();

        story.team.remove("main.tf");
        story.team.plan().says(&["Deletion needs approval"]);
        story.team.apply().failure(&["Deletion waits for approval", NAME]);
        story.reconcile();
        story.is(12, "70000");
        assert_eq!(story.team.addresses(), [TOPIC]);
        story.decides("deleted", "approve");
        assert_eq!(story.stack.topic(NAME), None);
        story.team.applies();
        assert_eq!(story.team.addresses(), Vec::<String>::new());

        // Within the limits nobody is asked.
        story.declares(2, "60000");
        story.team.applies();
        story.reconcile();
        story.is(2, "60000");
        story.is_ready();
        story.platform.plans_nothing();
    }
}
