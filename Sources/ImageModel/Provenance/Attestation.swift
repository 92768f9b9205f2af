/// An *attestation* is a document about an image in a registry: an artifact whose subject is the image,
/// with one layer that is the document. OCI Image Manifest Specification, "Guidelines for Artifact
/// Usage".
public struct Attestation: Hashable, Sendable {
    /// The kind of the document.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// A ``ProvenanceStatement`` without a signature.
        case statement = "application/vnd.in-toto+json"
        /// A ``SignedEnvelope`` with a statement.
        case envelope = "application/vnd.dsse.envelope.v1+json"
        /// A ``SoftwareBill``.
        case bill = "application/spdx+json"

        public var mediaType: MediaType { MediaType(rawValue: rawValue) }

        /// The most bytes of a document that is read. An SBOM of the most packages that an rpmdb may have is
        /// smaller.
        public var mostBytes: Int { self == .bill ? 32 << 20 : BoundedJSON.mostBytes }
    }

    /// The content of the empty configuration.
    public static let configuration = Array("{}".utf8)

    public let kind: Kind
    public let bytes: [UInt8]

    public init(_ kind: Kind, _ bytes: [UInt8]) {
        self.kind = kind
        self.bytes = bytes
    }

    public var descriptor: Descriptor { Descriptor(of: bytes, mediaType: kind.mediaType) }

    /// The artifact that refers to an image.
    public func artifact(about subject: Descriptor) -> ManifestDocument {
        // A registry refuses a subject with members that are none of a descriptor's essential ones.
        let subject = Descriptor(mediaType: subject.mediaType, digest: subject.digest, size: subject.size)
        var annotations: [String: String] = [:]
        // The name that other tools look for.
        if kind != .bill { annotations["in-toto.io/predicate-type"] = ProvenanceStatement.predicateType }
        return ManifestDocument(
            Manifest(
                configuration: Descriptor(of: Self.configuration, mediaType: .empty), layers: [descriptor], subject: subject,
                artifactType: kind.rawValue, annotations: annotations))
    }
}
