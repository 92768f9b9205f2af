import Glibc
import NIOHTTP1

/// A server's name for the version of a file: its ETag, or else the time of its last change.
///
/// The next request for the file can name the version. Then the server sends the file only if it
/// has another version now. A version is used only if equal versions mean equal bytes:
///
/// - A weak ETag, such as `W/"1"`, is not used. It also names files of the same meaning.
/// - A file that changed in the last minute before the answer has no version. Many servers make the
///   ETag from the size and from the time in seconds, so that a second change may leave it the same
///   (RFC 9110, section 8.8.2.2).
struct FileVersion: Hashable, Sendable {
    /// The time without a change after which a time of change is reliable, in seconds.
    private static let calm = 60
    /// The maximum length of a value in bytes. A longer one is not sent back.
    private static let longestValue = 256

    /// The address that sent the file, after all redirects. Versions of other addresses are unrelated.
    let url: RepositoryURL
    private let tag: String?
    private let modified: String?

    /// Returns `nil` if the headers of an answer do not name a version that can be used.
    init?(_ headers: HTTPHeaders, from url: RepositoryURL) {
        tag = headers.first(name: "etag").flatMap { $0.hasPrefix("\"") ? $0 : nil }
        modified = headers.first(name: "last-modified")
        self.url = url
        guard tag != nil || modified != nil, (tag ?? "").utf8.count <= Self.longestValue else { return nil }
        guard let modified else { return }
        // Both times are those of the server, so the clock of this host does not matter.
        guard let changed = Self.seconds(modified), let sent = headers.first(name: "date").flatMap(Self.seconds),
            sent - Self.calm >= changed
        else { return nil }
    }

    /// The headers of a request for the file if it has another version.
    var condition: HTTPHeaders {
        var headers: HTTPHeaders = [:]
        if let tag { headers.add(name: "if-none-match", value: tag) }
        if let modified { headers.add(name: "if-modified-since", value: modified) }
        return headers
    }

    /// Returns whether a server that answers 304 with these headers means this version.
    ///
    /// It must repeat the version. A server that only compares times would confirm a file that was
    /// replaced by an older one.
    func isConfirmed(by headers: HTTPHeaders) -> Bool {
        let changed = headers.first(name: "last-modified")
        guard let tag else { return changed == modified }
        return headers.first(name: "etag") == tag && (changed == nil || modified == nil || changed == modified)
    }

    /// Returns the seconds since 1970 in a header, or `nil` if it is not a time of HTTP (RFC 9110, section
    /// 5.6.7).
    private static func seconds(_ text: String) -> Int? {
        let words = text.split(separator: " ")
        guard words.count == 6, words[5] == "GMT", let month = months.firstIndex(of: words[2]) else { return nil }
        let numbers = ([words[1], words[3]] + words[4].split(separator: ":")).compactMap { Int32($0) }
        guard numbers.count == 5, numbers.allSatisfy({ (0...9999).contains($0) }) else { return nil }
        var time = tm()
        (time.tm_mday, time.tm_mon, time.tm_year) = (numbers[0], Int32(month), numbers[1] - 1900)
        (time.tm_hour, time.tm_min, time.tm_sec) = (numbers[2], numbers[3], numbers[4])
        return timegm(&time)
    }

    private static let months: [Substring] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
}
