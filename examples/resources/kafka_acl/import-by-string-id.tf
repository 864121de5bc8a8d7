import {
  to = kafka_acl.billing
  id = "dev/TOPIC|PREFIXED|billing.|User:billing;User:billing-batch|*|READ;WRITE|ALLOW"
}
