import {
  to = kafka_acl.billing
  identity = {
    cluster_id    = "MkU3OEVBNTcwNTJENDM2Qg"
    resource_type = "topic"
    resource_name = "billing."
    pattern_type  = "prefixed"
    principals    = ["User:billing", "User:billing-batch"]
    operations    = ["READ", "WRITE"]
  }
}
