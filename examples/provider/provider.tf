terraform {
  required_providers {
    kafka = {
      source = "selfserve/kafka"
    }
  }
}

variable "kafka_password" {
  type      = string
  ephemeral = true
}

provider "kafka" {
  environments = {
    dev = {
      bootstrap_servers = ["localhost:9092"]
    }
    pro = {
      bootstrap_servers = ["kafka-1.example.org:9094", "kafka-2.example.org:9094"]
      tls               = {}
      sasl = {
        mechanism = "SCRAM-SHA-512"
        username  = "terraform"
        password  = var.kafka_password
      }
    }
  }
  default_environment = "dev"
}
