//! Real engines, a real broker, a real provider.
