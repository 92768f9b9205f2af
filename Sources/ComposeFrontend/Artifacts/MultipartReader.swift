import Foundation
import Glibc

/// A multipart reader reads a body of the type `multipart/form-data` whose bytes are pushed in pieces
/// (RFC 7578, RFC 2046 section 5.1). It needs no more memory than one piece and the headers of a part.
struct MultipartReader {
    private enum Position {
        case preamble, afterDelimiter, headers, content, end
    }

    private static let mostHeaderBytes = 8192
    private static let mostParts = 100

    private let delimiter: [UInt8]
    private var position = Position.preamble
    /// Bytes that were not understood yet. The line break makes the first delimiter like the others.
    private var buffer = Array("\r\n".utf8)
    private var parts = 0

    /// - Parameter contentType: The value of the header Content-Type.
    /// - Returns: `nil` if the body is of another type.
    init?(contentType: String?) throws(RequestRejection) {
        guard let contentType, contentType.wholeMatch(of: /\s*multipart\/form-data\s*(;.*)?/.ignoresCase()) != nil else { return nil }
        // RFC 2046, section 5.1.1: a boundary has 1 to 70 characters. One with other characters than those of
        // a token is quoted.
        guard let match = contentType.firstMatch(of: /;\s*boundary=(?:"([^"]{1,70})"|([^";,\s]{1,70}))\s*(?:;|$)/.ignoresCase()),
            let boundary = match.1 ?? match.2
        else { throw .badRequest("The Content-Type multipart/form-data has no boundary of 1 to 70 characters.") }
        delimiter = Array("\r\n--\(boundary)".utf8)
    }

    /// Reads the next bytes of the body.
    mutating func read(_ bytes: some Sequence<UInt8>) throws(RequestRejection) -> [FormEvent] {
        buffer += bytes
        var events: [FormEvent] = []
        while true {
            switch position {
            case .preamble:
                guard let place = buffer.place(of: delimiter) else {
                    buffer.removeFirst(max(0, buffer.count - delimiter.count))
                    return events
                }
                buffer.removeFirst(place + delimiter.count)
                position = .afterDelimiter
            case .afterDelimiter:
                guard buffer.count >= 2 else { return events }
                if buffer.starts(with: "--".utf8) {
                    position = .end
                } else if buffer.starts(with: "\r\n".utf8) {
                    position = .headers
                } else {
                    throw .badRequest("The multipart body has other bytes than a line break after a boundary.")
                }
            case .headers:
                let place = buffer.place(of: Array("\r\n\r\n".utf8))
                // The last three bytes may be the beginning of the end.
                guard place ?? (buffer.count - 3) <= Self.mostHeaderBytes else {
                    throw .badRequest("A part of the multipart body has headers of more than \(Self.mostHeaderBytes) bytes.")
                }
                guard let place else { return events }
                parts += 1
                guard parts <= Self.mostParts else { throw .badRequest("The multipart body has more than \(Self.mostParts) parts.") }
                events.append(.part(name: try Self.name(in: buffer[..<place])))
                buffer.removeFirst(place + 4)
                position = .content
            case .content:
                if let place = buffer.place(of: delimiter) {
                    if place > 0 { events.append(.content(Array(buffer[..<place]))) }
                    events.append(.endOfPart)
                    buffer.removeFirst(place + delimiter.count)
                    position = .afterDelimiter
                } else {
                    // The last bytes may be the beginning of a delimiter.
                    let count = max(0, buffer.count - delimiter.count + 1)
                    if count > 0 { events.append(.content(Array(buffer[..<count]))) }
                    buffer.removeFirst(count)
                    return events
                }
            case .end:
                buffer = []
                return events
            }
        }
    }

    /// Throws if the body is incomplete.
    func finish() throws(RequestRejection) {
        guard case .end = position else { throw .badRequest("The multipart body ends before its last boundary.") }
    }

    /// Returns the name of a part, which its header Content-Disposition has.
    private static func name(in headers: ArraySlice<UInt8>) throws(RequestRejection) -> String {
        for line in String(decoding: headers, as: UTF8.self).split(separator: "\r\n")
        where line.lowercased().hasPrefix("content-disposition:") {
            if let match = line.firstMatch(of: /;\s*name="([^"]{1,100})"/) ?? line.firstMatch(of: /;\s*name=([^";\s]{1,100})/) {
                return String(match.1)
            }
        }
        throw .badRequest("A part of the multipart body has no name.")
    }
}

/// The findings of a multipart reader in a form.
enum FormEvent: Hashable {
    /// A part with this name begins. Its content follows.
    case part(name: String)
    case content([UInt8])
    case endOfPart
}

extension [UInt8] {
    /// Returns the place at which other bytes begin, or `nil` if they are not there.
    fileprivate func place(of other: [UInt8]) -> Int? {
        withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress, let first = other.first else { return nil }
            var start = 0
            while start + other.count <= bytes.count,
                let found = memchr(base + start, CInt(first), bytes.count - other.count + 1 - start)
            {
                let place = UnsafeRawPointer(found) - base
                if memcmp(base + place, other, other.count) == 0 { return place }
                start = place + 1
            }
            return nil
        }
    }
}
