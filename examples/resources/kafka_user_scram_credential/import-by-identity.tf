import {
  to = kafka_user_scram_credential.billing
  identity = {
    cluster_id      = "MkU3OEVBNTcwNTJENDM2Qg"
    username        = "billing-app"
    scram_mechanism = "SCRAM-SHA-512"
  }
}
