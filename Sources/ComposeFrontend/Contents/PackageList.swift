import ComposeModel
import Foundation
import ImageModel

/// The packages of a compose in its `compose.lock.json`, found by their names.
///
/// The document has each package on a line of its own. Only the names and the places of the lines are
/// kept in memory. A compose of 63,000 packages has a document of some 40 MB.
final class PackageList: Sendable {
    /// The inputs and the findings, which come before the packages.
    struct LockHead: Decodable, Sendable {
        struct LockedSource: Decodable, Sendable {
            let location: String
            let repomd: String
        }

        let version: Int
        let request: LockedRequest
        let sources: [LockedSource]
        let koji: KojiPin?
        /// The tags from the compose's tag to each tag that has packages, by the name of the last one.
        let inheritance: [String: [String]]?
        let overruled: [LockedOverruled]
    }

    let head: LockHead
    /// The document without its packages.
    let headText: Data
    private let file: ServedFile
    private let lines: [Range<Int>]
    private let places: [String: [Int]]

    /// The beginning of a package's line.
    private static let prefix = Array(#"{"nevra":""#.utf8)
    private static let pieceSize = 1 << 20
    /// The maximum size of a line. A package's line has some 600 bytes.
    private static let longestLine = 1 << 20

    /// Reads a document. Returns `nil` if it has no packages, or is not such a document. Blocks.
    init?(_ file: ServedFile) throws {
        var head: [UInt8] = []
        var lines: [Range<Int>] = []
        var places: [String: [Int]] = [:]
        var rest: [UInt8] = []
        var offset = 0
        while offset < file.size {
            let piece = try file.bytes(from: offset, count: Self.pieceSize)
            guard !piece.isEmpty else { return nil }
            let start = offset - rest.count
            let bytes = rest + piece
            offset += piece.count
            var lineStart = 0
            while let end = bytes.firstNewline(from: lineStart) {
                let line = bytes[lineStart..<end]
                if let name = try Self.name(in: line) {
                    places[name, default: []].append(lines.count)
                    lines.append(start + lineStart..<start + end)
                } else {
                    guard lines.isEmpty else { return nil }
                    head += line
                }
                lineStart = end + 1
            }
            rest = Array(bytes[lineStart...])
            guard rest.count <= Self.longestLine, head.count <= Self.longestLine * 16 else { return nil }
        }
        let end = Array(#""packages":["#.utf8)
        // Without a package, the head is the whole document.
        headText = Data(head + (lines.isEmpty ? "" : "]}").utf8)
        // The lists of Pulp and Pungi have other members.
        guard lines.isEmpty || head.suffix(end.count).elementsEqual(end),
            let found = try? JSONDecoder().decode(LockHead.self, from: headText),
            found.version == 1
        else { return nil }
        self.head = found
        self.file = file
        self.lines = lines
        self.places = places
    }

    var count: Int { lines.count }
    var names: some Collection<String> { places.keys }

    /// Returns the packages of a name, in the order of the document. Blocks.
    func packages(named name: String) throws -> [LockedPackage] {
        try (places[name] ?? []).map { place in
            try Self.package(try file.bytes(from: lines[place].lowerBound, count: lines[place].count)[...])
        }
    }

    /// Calls `body` with each package. Blocks.
    func forEach(_ body: (LockedPackage) throws -> Void) throws {
        var first = 0
        while first < lines.count {
            var last = first
            let start = lines[first].lowerBound
            while last + 1 < lines.count, lines[last + 1].upperBound - start < Self.pieceSize { last += 1 }
            let bytes = try file.bytes(from: start, count: lines[last].upperBound - start)
            guard bytes.count == lines[last].upperBound - start else { throw ServedFileShrank() }
            for line in lines[first...last] { try body(try Self.package(bytes[line.lowerBound - start..<line.upperBound - start])) }
            first = last + 1
        }
    }

    private static func package(_ line: ArraySlice<UInt8>) throws -> LockedPackage {
        var text = line
        // A line ends with a comma, and the last one with the end of the document.
        if text.last == UInt8(ascii: ",") { text.removeLast() }
        if text.suffix(3).elementsEqual("}]}".utf8) { text.removeLast(2) }
        return try JSONDecoder().decode(LockedPackage.self, from: Data(text))
    }

    /// Returns the name of the package whose line this is.
    private static func name(in line: ArraySlice<UInt8>) throws -> String? {
        guard line.starts(with: prefix) else { return nil }
        let rest = line.dropFirst(prefix.count)
        guard let end = rest.firstIndex(of: UInt8(ascii: "\"")) else { return nil }
        let nevra = rest[..<end]
        // A name of letters, digits and the usual marks is not escaped. Any other is decoded with its line.
        let text = nevra.contains(UInt8(ascii: "\\")) ? Array(try package(line).nevra.utf8)[...] : nevra
        guard let second = text.lastIndex(of: UInt8(ascii: "-")), let first = text[..<second].lastIndex(of: UInt8(ascii: "-")) else {
            return nil
        }
        return String(decoding: text[..<first], as: UTF8.self)
    }
}
