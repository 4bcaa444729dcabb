"""A run beside what people say of a sample of it: agreement, the judges' errors, and the share that truly fails."""
