import ForeignText
import Foundation
import HTTPTypes
import Identity

/// A credential reader takes the credentials out of the headers of a request.
struct CredentialReader {
    /// The longest value of a header with credentials, in bytes. The HTTP parser allows more.
    private static let mostBytes = 48 << 10

    let headers: HTTPFields

    /// Returns the value of `Authorization`, or that of `X-API-Key` as a bearer token. Returns `nil` if
    /// there is neither.
    ///
    /// - Throws: `CredentialFailure.malformed` if the request has several of them that differ, or `wrong`
    ///   if there is one that cannot be understood.
    func authorization() throws(CredentialFailure) -> Credentials.Authorization? {
        let lines = headers[values: .authorization]
        guard lines.count <= 1 else { throw .malformed("The request has \(lines.count) Authorization headers. It must have one.") }
        let keys = headers[values: .apiKey]
        guard keys.count <= 1 else { throw .malformed("The request has \(keys.count) X-API-Key headers. It must have one.") }
        let authorization = try lines.first.map { (line) throws(CredentialFailure) in try Self.authorization(line) }
        guard let key = keys.first else { return authorization }
        let token = try Self.token(key, of: "X-API-Key")
        switch authorization {
        case nil: return .bearer(token)
        case .bearer(let other) where other.text.hasSameBytes(as: token.text): return authorization
        case .some:
            throw .malformed(
                "The request has an Authorization and an X-API-Key header with different credentials. It must have one of them.")
        }
    }

    private static func authorization(_ line: String) throws(CredentialFailure) -> Credentials.Authorization {
        guard line.utf8.count <= mostBytes else { throw .wrong("The Authorization header is longer than \(mostBytes) bytes.") }
        let line = line[...].trimming
        let end = line.utf8.firstIndex(where: \.isBlank) ?? line.endIndex
        let rest = line[end...].trimming
        switch line[..<end].lowercased() {
        case "bearer": return .bearer(try token(rest, of: "Authorization"))
        case "negotiate":
            guard let bytes = Data(base64Encoded: String(rest)), !bytes.isEmpty else {
                throw .wrong("The Authorization header says Negotiate, but what follows is not base64.")
            }
            return .negotiate(Array(bytes))
        case "basic":
            guard let bytes = Data(base64Encoded: String(rest)), let text = String(validating: bytes, as: UTF8.self),
                let colon = text.utf8.firstIndex(of: UInt8(ascii: ":"))
            else { throw .wrong("The Authorization header says Basic, but what follows is not base64 of a user, a colon and a password.") }
            return .basic(user: String(text[..<colon]), password: Secret(text[text.index(after: colon)...]))
        default:
            throw .wrong("The Authorization header does not begin with Bearer, Negotiate or Basic.")
        }
    }

    private static func token(_ text: some StringProtocol, of header: String) throws(CredentialFailure) -> Secret {
        guard !text.isEmpty else { throw .wrong("The \(header) header has no token.") }
        guard text.utf8.count <= mostBytes else { throw .wrong("The \(header) header is longer than \(mostBytes) bytes.") }
        guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw .wrong("The token in the \(header) header has a character that no token has.")
        }
        return Secret(text)
    }
}

extension HTTPField.Name {
    static let apiKey = Self("X-API-Key")!
}

extension Substring {
    /// The text without spaces and tabs at its ends.
    fileprivate var trimming: Substring {
        guard let start = utf8.firstIndex(where: { !$0.isBlank }), let last = utf8.lastIndex(where: { !$0.isBlank }) else { return "" }
        return Substring(utf8[start...last])
    }
}

extension UInt8 {
    fileprivate var isBlank: Bool { self == UInt8(ascii: " ") || self == UInt8(ascii: "\t") }
}
