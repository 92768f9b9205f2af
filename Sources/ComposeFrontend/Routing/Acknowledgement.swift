/// The body of the answer to a DELETE.
struct Acknowledgement: Encodable {
    let status = 202
    let message: String
}
