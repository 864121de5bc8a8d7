# The name that the provider block has for the environment.
terraform import kafka_environment.dev dev
