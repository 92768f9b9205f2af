/// A *path component* is the name of one file or folder. It can stand between two slashes of a path,
/// and never leads elsewhere.
///
/// Texts from outside (names of packages, versions, architectures, key ids, streams, variants, …)
/// become paths through this type only.
public struct PathComponent: Hashable, Sendable, CustomStringConvertible {
    /// The name, for example `ed-1.20-3.x86_64.rpm`.
    public let text: String

    /// The maximum length of a name in bytes: `NAME_MAX` of Linux.
    public static let mostBytes = 255

    /// Creates a path component from a text.
    ///
    /// - Throws: ``Problem`` if the text cannot be the name of a file or would lead elsewhere.
    public init(_ text: some StringProtocol) throws(Problem) { try self.init(String(text)) }

    /// Creates a path component from a text. Throws ``Problem`` as well.
    public init(_ text: String) throws(Problem) {
        if let problem = Problem(in: text) { throw problem }
        self.text = text
    }

    public var description: String { text }

    /// Returns whether a text is a path component, for a caller that does not need the reason if it is not.
    public static func accepts(_ text: some StringProtocol) -> Bool { Problem(in: String(text)) == nil }

    /// The reason why a text is not a path component.
    public enum Problem: Error, Hashable, Sendable {
        case empty
        /// The text is `.` or `..`.
        case relative
        /// The text has a slash.
        case slash
        /// The text has a control character, for example a NUL or a line break.
        case control
        /// The text has more than ``mostBytes`` bytes of UTF-8.
        case long

        /// The text is a `String`, because a check of any `StringProtocol` makes a call for each byte.
        init?(in text: String) {
            // The check looks at bytes. Comparing characters takes quadratic time on combining marks.
            var count = 0
            var dots = 0
            var found: Problem?
            for byte in text.utf8 {
                count += 1
                if count > PathComponent.mostBytes { break }
                switch byte {
                case UInt8(ascii: "/"): found = found ?? .slash
                case 0..<0x20, 0x7F: found = found ?? .control
                case UInt8(ascii: "."): dots += 1
                default: break
                }
            }
            if count == 0 {
                self = .empty
            } else if count > PathComponent.mostBytes {
                self = .long
            } else if let found {
                self = found
            } else if dots == count, count <= 2 {
                self = .relative
            } else {
                return nil
            }
        }

        /// The end of a sentence that begins with the text: "… has a slash, so no file can have that name".
        public var reason: String {
            switch self {
            case .empty: "is empty, so no file can have that name"
            case .relative: "is the name of a folder above or of the folder itself"
            case .slash: "has a slash, so no file can have that name"
            case .control: "has a control character, which is not allowed in names of files"
            case .long: "is longer than \(PathComponent.mostBytes) bytes, so no file can have that name"
            }
        }
    }
}
