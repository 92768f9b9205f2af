import ForeignText
import HTTPTypes

/// The `Idempotency-Key` header (draft-ietf-httpapi-idempotency-key-header). A client names a request
/// with it, and may send the request again after a timeout without making a second compose. The quotes
/// around it that the draft has are optional. If they are present, they are part of the key.
struct IdempotencyKey: Hashable {
    static let maximumLength = 255
    static let fieldName = HTTPField.Name("Idempotency-Key")!

    let text: String

    /// Returns `nil` if there is no such header.
    ///
    /// - Throws: ``RequestRejection`` if the header occurs twice, is empty, is too long, or is not
    ///   printable ASCII.
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
