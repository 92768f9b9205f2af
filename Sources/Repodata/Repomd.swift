public import Foundation

/// The content of a repomd.xml: which documents a repository consists of, where they are and what their checksums are.
///
/// Format: the schema `rpmmd/repo` of rpm-metadata; createrepo_c writes it.
public struct Repomd: Hashable, Sendable {
    /// One `<data>` element.
    public struct Record: Hashable, Sendable {
        /// The documents that composes are made of. A record of another one may be as odd as it likes.
        static let usedTypes: Set<String> = ["primary", "filelists", "other", "modules"]

        /// `primary`, `filelists`, `other`, `modules`, `group`, …
        public let type: String
        /// `location href`, relative to the repository; never absolute, never with a step upwards.
        public let location: String
        /// `xml:base` of the location, where the document lies somewhere else than the repository.
        public let base: String?
        /// Of the file as it is stored.
        public let checksum: Checksum
        /// Of the file's decompressed content.
        public let openChecksum: Checksum?
        /// Bytes of the file as it is stored.
        public let size: Int?
        /// Bytes of the file's decompressed content.
        public let openSize: Int?
        /// Seconds since 1970.
        public let timestamp: Int?
    }

    /// SHA-256 of the bytes: the repository's identity, since the documents' checksums are in them.
    public let id: Checksum
    public let revision: String?
    /// In the order of the file, without records of other documents than ``Record/usedTypes`` that cannot be read.
    public let records: [Record]

    /// The first record of `type`.
    public func record(_ type: String) -> Record? { records.first { $0.type == type } }

    /// Parses the bytes of a repomd.xml.
    ///
    /// Throws `.forbidden` for a DOCTYPE (entities that expand without end) and for locations outside of the repository, `.malformed` for what is
    /// not well-formed, lacks what the format requires, or has no `primary`.
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
        id = try Digest.of(bytes, .sha256)
    }

    /// As ``init(parsing:)-([UInt8])``.
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
        // The checksum covers the same bytes, so one that cannot be read is no loss.
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

    /// A size or time; `nil` if there is none that can be used. Old tools wrote times with a fraction, which is dropped.
    private static func number(_ element: XMLElement?) -> Int? {
        element.flatMap { Int($0.text.prefix { $0 != "." }) }.flatMap { $0 >= 0 ? $0 : nil }
    }
}
