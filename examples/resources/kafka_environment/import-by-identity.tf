import {
  to = kafka_environment.dev
  identity = {
    cluster_id = "MkU3OEVBNTcwNTJENDM2Qg"
  }
}
