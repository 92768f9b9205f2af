public import Foundation

/// A *software bill of materials* (SBOM) lists the packages of one manifest. SPDX 2.3, in JSON.
///
/// It is made from the rpmdb that was read from the registry. An image without an rpmdb gets none,
/// because an empty list would say that the image has no software.
public struct SoftwareBill: Hashable, Sendable, Codable {
    public struct Creation: Hashable, Sendable, Codable {
        public var created: String
        public var creators: [String]
    }

    public struct Checksum: Hashable, Sendable, Codable {
        public var algorithm: String
        public var checksumValue: String
    }

    public struct Reference: Hashable, Sendable, Codable {
        public var referenceCategory: String
        public var referenceType: String
        public var referenceLocator: String
    }

    public struct Package: Hashable, Sendable, Codable {
        public var id: String
        public var name: String
        public var versionInfo: String?
        public var downloadLocation: String
        public var filesAnalyzed: Bool
        public var primaryPackagePurpose: String?
        public var sourceInfo: String?
        public var checksums: [Checksum]?
        public var externalRefs: [Reference]?

        enum CodingKeys: String, CodingKey {
            case id = "SPDXID"
            case name, versionInfo, downloadLocation, filesAnalyzed, primaryPackagePurpose, sourceInfo, checksums, externalRefs
        }
    }

    public struct Relationship: Hashable, Sendable, Codable {
        public var spdxElementId: String
        public var relationshipType: String
        public var relatedSpdxElement: String
    }

    public var spdxVersion: String
    public var dataLicense: String
    public var id: String
    public var name: String
    public var documentNamespace: String
    public var creationInfo: Creation
    public var packages: [Package]
    public var relationships: [Relationship]

    enum CodingKeys: String, CodingKey {
        case id = "SPDXID"
        case spdxVersion, dataLicense, name, documentNamespace, creationInfo, packages, relationships
    }

    private static let (document, image) = ("SPDXRef-DOCUMENT", "SPDXRef-Image")
    private static let unstated = "NOASSERTION"

    /// - Parameters:
    ///   - time: The time of the build. Equal builds get equal bytes.
    /// - Returns: `nil` if the packages are not known, or if there is no rpmdb.
    public init?(_ contents: Contents, of repository: ImageRepository, created time: Date) {
        guard case .read(let installed) = contents.state else { return nil }
        let digest = contents.digest
        spdxVersion = "SPDX-2.3"
        dataLicense = "CC0-1.0"
        id = Self.document
        name = "\(repository)@\(digest)"
        documentNamespace = "https://spdx.org/spdxdocs/odcs-\(digest.algorithm.rawValue)-\(digest.hex)"
        creationInfo = Creation(created: time.inDocuments, creators: ["Tool: odcs"])
        packages = [
            Package(
                id: Self.image, name: repository.description, versionInfo: digest.description, downloadLocation: Self.unstated,
                filesAnalyzed: false, primaryPackagePurpose: "CONTAINER",
                checksums: [Checksum(algorithm: digest.algorithm.rawValue.uppercased(), checksumValue: digest.hex)])
        ]
        relationships = [Relationship(spdxElementId: Self.document, relationshipType: "DESCRIBES", relatedSpdxElement: Self.image)]
        let sorted = installed.sorted { ($0.line, $0.evr.description) < ($1.line, $1.evr.description) }
        for (number, package) in sorted.enumerated() {
            let id = "SPDXRef-Package-\(number + 1)"
            packages.append(
                Package(
                    id: id, name: package.name, versionInfo: package.evr.description, downloadLocation: Self.unstated, filesAnalyzed: false,
                    sourceInfo: package.source.map { "built from \($0)" },
                    externalRefs: [
                        Reference(referenceCategory: "PACKAGE-MANAGER", referenceType: "purl", referenceLocator: package.packageURL)
                    ]))
            relationships.append(Relationship(spdxElementId: Self.image, relationshipType: "CONTAINS", relatedSpdxElement: id))
        }
    }

    public var bytes: [UInt8] { BoundedJSON.encode(self) }

    /// Reads a document that anyone may have written.
    public init(_ bytes: [UInt8]) throws(ImageProblem) {
        self = try BoundedJSON.decode(Self.self, from: bytes, "The document", most: Attestation.Kind.bill.mostBytes)
    }

    /// Returns the number of packages of an image, or `nil` if the document is about another image.
    public func packages(of digest: ImageDigest) -> Int? {
        packages.contains { $0.id == Self.image && $0.versionInfo == digest.description } ? packages.count - 1 : nil
    }
}

extension InstalledPackage {
    /// The package as a package URL, without the distribution, which the rpmdb does not have. Example:
    /// `pkg:rpm/openssl-libs@3.0.7-28.el9?arch=x86_64&epoch=1`.
    public var packageURL: String {
        var qualifiers = ["arch=\(Self.escaped(arch))"]
        if evr.epoch > 0 { qualifiers.append("epoch=\(evr.epoch)") }
        if let source { qualifiers.append("upstream=\(Self.escaped(source))") }
        return "pkg:rpm/\(Self.escaped(name))@\(Self.escaped("\(evr.version)-\(evr.release)"))?\(qualifiers.joined(separator: "&"))"
    }

    /// Letters, digits and `.-_~` stay, as package URLs have it.
    private static func escaped(_ text: String) -> String {
        text.utf8.reduce(into: "") { result, byte in
            let character = Character(Unicode.Scalar(byte))
            if character.isASCII, character.isLetter || character.isNumber || ".-_~".contains(character) {
                result.append(character)
            } else {
                result += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
    }
}
