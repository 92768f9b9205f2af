public import Compression
public import Foundation

/// The content of a repomd.xml: the documents of a repository, their locations and their checksums.
///
/// Format: the schema `rpmmd/repo` of rpm-metadata. createrepo_c writes it.
public struct Repomd: Hashable, Sendable {
    /// One `<data>` element.
    public struct Record: Hashable, Sendable {
        /// The types of documents that composes are made of. A record of another type may be invalid.
        static let usedTypes: Set<String> = ["primary", "filelists", "other", "modules"]

        /// `primary`, `filelists`, `other`, `modules`, `group`, …
        public let type: String
        /// `location href`, relative to the repository. It is never absolute and never contains `..`.
        public let location: String
        /// `xml:base` of the location, if the document lies outside the repository.
        public let base: String?
        /// The checksum of the file as it is stored.
        public let checksum: Checksum
        /// The checksum of the file's decompressed content.
        public let openChecksum: Checksum?
        /// The size of the file as it is stored, in bytes.
        public let size: Int?
        /// The size of the file's decompressed content, in bytes.
        public let openSize: Int?
        /// The time of the document, in seconds since 1970.
        public let timestamp: Int?
    }

    /// The SHA-256 of the bytes. It identifies the repository, because the bytes contain the checksums of
    /// its documents.
    public let id: Checksum
    public let revision: String?
    /// The records in the order of the file. Unreadable records of types outside ``Record/usedTypes`` are
    /// left out.
    public let records: [Record]

    /// Returns the first record of `type`, or `nil` if no record has it.
    public func record(_ type: String) -> Record? { records.first { $0.type == type } }

    /// Parses the bytes of a repomd.xml.
    ///
    /// Throws `.forbidden` if it has a DOCTYPE, because entities can expand without end, or a location
    /// outside the repository. Throws `.malformed` if it is not well-formed, lacks a part that the format
    /// requires, or has no `primary`. Throws `.unsupported` for another encoding than UTF-8 and for an
    /// unknown type of checksum.
    public init(parsing bytes: [UInt8]) throws(RepodataError) {
        try XMLEncoding.check(bytes, named: "repomd.xml")
        guard !bytes.contains(0) else { throw RepodataError(.malformed, "repomd.xml is not UTF-8 text: it contains a zero byte") }
        for declaration in ["<!DOCTYPE", "<!ENTITY"] where bytes.withUnsafeBytes({ $0.find(declaration) }) != nil {
            throw RepodataError(.forbidden, "repomd.xml contains \(declaration); document type declarations and entities are not accepted")
        }
        let root = try XMLDocument(bytes, named: "repomd.xml").root
        guard root.name == "repomd" else {
            throw RepodataError(.malformed, "repomd.xml has the root element <\(root.name)> instead of <repomd>")
        }
        var records: [Record] = []
        for data in root.children where data.name == "data" {
            do throws(RepodataError) {
                records.append(try Record(data))
            } catch {
                if let type = data["type"], Record.usedTypes.contains(type) { throw error }
            }
        }
        guard records.contains(where: { $0.type == "primary" }) else {
            throw RepodataError(.malformed, "repomd.xml names no primary metadata, without which a repository has no packages")
        }
        self.records = records
        revision = root.child("revision")?.text
        id = Digest.of(bytes, .sha256)
    }

    /// Parses the bytes of a repomd.xml. The errors are those of ``init(parsing:)-([UInt8])``.
    public init(parsing data: Data) throws(RepodataError) {
        try self.init(parsing: [UInt8](data))
    }
}

extension Repomd.Record {
    fileprivate init(_ data: XMLElement) throws(RepodataError) {
        guard let type = data["type"], !type.isEmpty else {
            throw RepodataError(.malformed, "repomd.xml has a <data> element without type")
        }
        let place = "\(type) in repomd.xml"
        guard let location = data.child("location"), let href = location["href"] else {
            throw RepodataError(.malformed, "\(place) has no location")
        }
        try RepositoryHref.check(href, in: place)
        guard let checksum = try Self.checksum(data.child("checksum"), in: place) else {
            throw RepodataError(.malformed, "\(place) has no checksum")
        }
        self.type = type
        self.location = href
        base = location["xml:base"]
        self.checksum = checksum
        // The checksum covers the same bytes, so nothing is lost if this one cannot be read.
        openChecksum = try? Self.checksum(data.child("open-checksum"), in: place)
        size = Self.number(data.child("size"))
        openSize = Self.number(data.child("open-size"))
        timestamp = Self.number(data.child("timestamp"))
    }

    private static func checksum(_ element: XMLElement?, in place: String) throws(RepodataError) -> Checksum? {
        guard let element else { return nil }
        guard let name = element["type"], let algorithm = Checksum.Algorithm(rpmMD: name) else {
            throw RepodataError(.unsupported, "\(place) has a checksum of the unknown type \"\(element["type"] ?? "")\"")
        }
        let hex = element.text
        guard hex.utf8.count == algorithm.hexLength, hex.allSatisfy({ $0.isASCII && $0.isHexDigit }) else {
            throw RepodataError(.malformed, "\(place) has a <\(element.name)> that is not a \(algorithm.rawValue) digest")
        }
        return Checksum(algorithm, hex: hex)
    }

    /// Returns a size or a time, or `nil` if the element is missing or unusable. Old tools wrote times with
    /// a fraction, which is dropped.
    private static func number(_ element: XMLElement?) -> Int? {
        element.flatMap { Int($0.text.prefix { $0 != "." }) }.flatMap { $0 >= 0 ? $0 : nil }
    }
}
