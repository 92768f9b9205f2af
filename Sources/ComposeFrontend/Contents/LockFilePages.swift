import CLinux
import Foundation
import Glibc
import ImageModel

/// Reads parts of a compose's `compose.lock.json`, for pages that show some of its packages. The memory
/// and the time for a part do not grow with the number of packages. Only a search reads all lines.
///
/// The document has each package on a line of its own, after the inputs and the findings.
struct LockFilePages: Sendable {
    /// The inputs and the findings, which come before the packages.
    struct Head: Decodable, Sendable {
        struct Source: Decodable, Sendable {
            let location: String
            let repomd: String
            let lookaside: Bool
        }

        struct Absent: Decodable, Sendable {
            let pattern: String
            let arches: [String]
            let nearest: [String]
        }

        struct Missing: Decodable, Sendable {
            let package: LockedNEVRA
            let arch: String
            let requirement: String
            let nearest: [String]
        }

        struct InstallFinding: Decodable, Sendable {
            struct Statement: Decodable, Sendable {
                let text: String?
            }

            let package: LockedNEVRA
            let arch: String
            let statements: [Statement]?
        }

        let sources: [Source]?
        let absent: [Absent]?
        let missing: [Missing]?
        let problems: [InstallFinding]?
        let overruled: [LockedOverruled]?
    }

    /// Some packages, and the place of the next ones.
    struct Page: Sendable {
        var packages: [LockedPackage] = []
        /// The offset in the file at which the next page begins. `nil` if there are no more packages.
        var next: Int?
    }

    private let file: ServedFile
    /// The offset of the first package.
    private let start: Int
    /// `nil` if the part before the packages is too large to be shown, or has other members.
    let head: Head?

    // The request has a member of this name too, but not at the beginning of a line.
    private static let headEnd = Array("\n\"packages\":[".utf8)
    private static let mostHead = 4 << 20
    private static let (smallPiece, largePiece) = (64 << 10, 1 << 20)

    /// Opens a document. Returns `nil` if it does not list packages. Blocks.
    init?(_ file: ServedFile) throws {
        self.file = file
        var head: [UInt8] = []
        var found: Int?
        while found == nil, head.count < file.size, head.count < Self.mostHead * 4 {
            let piece = try file.bytes(from: head.count, count: Self.smallPiece)
            guard !piece.isEmpty else { return nil }
            let from = max(0, head.count - Self.headEnd.count)
            head += piece
            found = head.firstIndex(of: Self.headEnd, from: from)
        }
        guard let found else { return nil }
        start = found + Self.headEnd.count
        guard start <= Self.mostHead else {
            self.head = nil
            return
        }
        // A list of another version may have other members, and is shown without them.
        self.head = try? JSONDecoder().decode(Head.self, from: Data(head[..<start] + Array("]}".utf8)))
    }

    /// Returns the packages from an offset on. Blocks.
    ///
    /// - Parameters:
    ///   - offset: The beginning of a line, from ``Page/next``. `nil` for the first page.
    ///   - most: The maximum number of packages.
    ///   - name: A text that the name with its version must contain, in any case. Empty for all packages.
    ///   - tree: The tree that the packages must be in. Empty for all trees.
    func page(from offset: Int?, most: Int, name: String = "", tree: String = "") throws -> Page {
        let (name, tree) = (Array(name.lowercased().utf8), Array("\"path\":\"\(tree)/".utf8))
        let searches = !name.isEmpty || tree.count > 9
        var page = Page()
        var position = max(start, offset ?? 0)
        var rest: [UInt8] = []
        while position < file.size {
            let piece = try file.bytes(from: position, count: searches ? Self.largePiece : Self.smallPiece)
            guard !piece.isEmpty else { break }
            let base = position - rest.count
            let bytes = rest + piece
            position += piece.count
            var line = 0
            while let end = bytes.firstNewline(from: line) {
                defer { line = end + 1 }
                let text = bytes[line..<end]
                guard text.starts(with: Self.lineStart) else { continue }
                if searches, !Self.fits(text, name, tree) { continue }
                if page.packages.count == most {
                    page.next = base + line
                    return page
                }
                if let package = Self.package(text) { page.packages.append(package) }
            }
            rest = Array(bytes[line...])
            // No package's line is as long as this.
            guard rest.count <= Self.mostHead else { break }
        }
        return page
    }

    private static let lineStart = Array("{\"nevra\":\"".utf8)

    private static func fits(_ line: ArraySlice<UInt8>, _ name: [UInt8], _ tree: [UInt8]) -> Bool {
        let nevra = line.dropFirst(lineStart.count).prefix { $0 != UInt8(ascii: "\"") }
        guard name.isEmpty || Array(nevra.map(\.lowercased)).firstIndex(of: name, from: 0) != nil else { return false }
        return tree.count <= 9 || Array(line).firstIndex(of: tree, from: 0) != nil
    }

    private static func package(_ line: ArraySlice<UInt8>) -> LockedPackage? {
        var text = line
        if text.last == UInt8(ascii: ",") { text.removeLast() }
        if text.suffix(3).elementsEqual("}]}".utf8) { text.removeLast(2) }
        // A line of another form is passed over. The file itself can still be read.
        return try? JSONDecoder().decode(LockedPackage.self, from: Data(text))
    }
}

extension UInt8 {
    fileprivate var lowercased: UInt8 { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) ? self | 0x20 : self }
}

extension [UInt8] {
    /// The place of the next line feed.
    func firstNewline(from place: Int) -> Int? {
        guard place < count else { return nil }
        return withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress, let found = memchr(base + place, 10, count - place) else { return nil }
            return UnsafeRawPointer(found) - base
        }
    }

    /// The place of a sequence of bytes.
    fileprivate func firstIndex(of other: [UInt8], from place: Int) -> Int? {
        guard place < count else { return nil }
        return withUnsafeBytes { bytes in
            other.withUnsafeBytes { other in
                guard let base = bytes.baseAddress, let wanted = other.baseAddress,
                    let found = memmem(base + place, UInt(count - place), wanted, UInt(other.count))
                else { return nil }
                return UnsafeRawPointer(found) - base
            }
        }
    }
}
