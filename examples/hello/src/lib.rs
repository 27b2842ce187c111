//! waxwing-example-hello.
