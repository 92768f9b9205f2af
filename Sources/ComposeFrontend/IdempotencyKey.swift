import ForeignText
import HTTPTypes

/// The `Idempotency-Key` header (draft-ietf-httpapi-idempotency-key-header): a client's own name for one request, with which it may send it
/// again after a timeout without asking twice. The draft's quotes around it are not asked for, and are part of it where they are there.
struct IdempotencyKey: Hashable {
    static let maximumLength = 255
    static let fieldName = HTTPField.Name("Idempotency-Key")!

    let text: String

    /// `nil` where there is no such header.
    init?(_ headers: HTTPFields) throws(RequestRejection) {
        let values = headers[values: Self.fieldName]
        guard let text = values.first else { return nil }
        guard values.count == 1 else {
            throw .badRequest("Idempotency-Key is there \(values.count) times; a request has one key.")
        }
        guard !text.isEmpty else {
            throw .badRequest("Idempotency-Key is empty; it must be a name for this one request, such as a UUID.")
        }
        guard text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
            throw .badRequest("Idempotency-Key must be printable ASCII characters, such as a UUID; it is \(text.quoted).")
        }
        guard text.utf8.count <= Self.maximumLength else {
            throw .badRequest("Idempotency-Key has \(text.utf8.count) characters; \(Self.maximumLength) are possible.")
        }
        self.text = text
    }
}
