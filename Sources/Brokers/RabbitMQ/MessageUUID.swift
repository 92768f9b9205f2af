import Crypto
import Foundation

/// The id of a message as a UUID of version 5 (RFC 9562), which fedora-messaging expects.
enum MessageUUID {
    /// Returns the UUID of a message. It is the same in each attempt, and another one in another
    /// service.
    ///
    /// - Parameters:
    ///   - id: The id of the message. Example: `odcs-57`.
    ///   - origin: A text that differs from service to service.
    static func text(of id: String, from origin: String) -> String {
        // The namespace of URLs in the RFC.
        let namespace = UUID(uuidString: "6BA7B811-9DAD-11D1-80B4-00C04FD430C8")?.uuid
        var hash = Insecure.SHA1()
        if let namespace { withUnsafeBytes(of: namespace) { hash.update(bufferPointer: $0) } }
        hash.update(data: Data("\(origin)#\(id)".utf8))
        var bytes = Array(hash.finalize().prefix(16))
        bytes[6] = bytes[6] & 0x0F | 0x50
        bytes[8] = bytes[8] & 0x3F | 0x80
        let hex = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        var text = ""
        for (place, digit) in hex.enumerated() {
            if [8, 12, 16, 20].contains(place) { text += "-" }
            text.append(digit)
        }
        return text
    }
}
