import {
  to = kafka_environment.dev
  id = "dev"
}
