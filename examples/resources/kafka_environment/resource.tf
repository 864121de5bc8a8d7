resource "kafka_environment" "dev" {
  name    = "dev"
  stage   = "development"
  hosting = "on-premise"
  labels  = { region = "eu" }

  platform_principals = ["User:platform"]

  # a0205-billing-invoices is a name of the application `billing` with the code 0205.
  naming = {
    topic            = "a{code}-{application}-{purpose}"
    group            = "a{code}-{application}-{purpose}"
    transactional_id = "a{code}-{application}-{purpose}"
    fields           = { purpose = "[a-z][a-z0-9-]*" }
  }

  topics = {
    partitions         = { min = 1, max = 12, default = 3 }
    replication_factor = { min = 1, max = 3, default = 1 }

    config = {
      "retention.ms"        = { max = 2592000000, default = "604800000" } # thirty days at most, seven by default
      "cleanup.policy"      = { one_of = ["delete", "compact"] }
      "min.insync.replicas" = { allowed = false }
    }
  }

  quota = {
    topics     = 50
    partitions = 300
  }
}
