//! Real sockets against a scripted plugin side: what a peer sees of the contracts of `waxwing:session` and
//! `waxwing:http`.

mod bodies;
mod encryption;
mod http;
mod limits;
mod running;
mod scripted;
mod stream;
