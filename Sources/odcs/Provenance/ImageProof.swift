import ForeignText
import ImageModel
import Registry

/// An *image proof* is the statement about an image with the places where the registry has something
/// else.
struct ImageProof: Hashable, Sendable, Encodable {
    /// The signature of the statement.
    enum Signature: String, Hashable, Sendable, Encodable {
        case none, verified
        /// There is one, and no key was named.
        case unchecked
    }

    struct Record: Hashable, Sendable, Encodable {
        let platform: String
        let digest: ImageDigest
        let node: String?
        let isolation: String?
        /// The number of packages in the SBOM. Nil if the image has no SBOM.
        var packages: Int?
    }

    let image: String
    let digest: ImageDigest
    var signature = Signature.none
    var builder: String?
    var build: Int?
    var causes: [BuildCause] = []
    var dependencies: [ProvenanceStatement.Dependency] = []
    var platforms: [Record] = []
    /// The differences between the image and the statement, in sentences.
    var problems: [String] = []
}

extension ImageProof {
    /// Reads everything about an image from its registry.
    struct Reader: Sendable {
        let registry: RegistryClient
        /// The key that must have signed the statement. Nil accepts any statement.
        let key: ProvenancePublicKey?

        private struct Found {
            let statement: ProvenanceStatement
            let kind: Attestation.Kind
            let content: ImageDigest
            let signature: Signature
        }

        /// - Throws: `RegistryFailure` if the registry does not answer, or does not have the image.
        func proof(of reference: ImageReference) async throws -> ImageProof {
            let reference = reference.withDefaultTag
            let document = try await registry.manifest(reference)
            var proof = ImageProof(image: reference.description, digest: document.digest)
            guard let found = try await statement(about: document.digest, in: reference.repository, &proof) else { return proof }
            let predicate = found.statement.predicate
            proof.signature = found.signature
            proof.builder = predicate.runDetails.builder.id
            let circumstances = predicate.buildDefinition.internalParameters
            proof.build = circumstances.build
            proof.causes = circumstances.causes
            proof.dependencies = predicate.buildDefinition.resolvedDependencies
            if predicate.buildDefinition.externalParameters.image != reference.repository.description {
                proof.problems.append(
                    "The statement is about \(predicate.buildDefinition.externalParameters.image), and not about \(reference.repository).")
            }
            let manifests: [ImageDigest] =
                switch document.content {
                case .index(let index): index.manifests.map(\.digest)
                case .manifest: [document.digest]
                }
            for digest in manifests {
                try await check(digest, isAlone: digest == document.digest, found, in: reference.repository, &proof)
            }
            return proof
        }

        /// Returns the newest statement that names the image, and that the key has signed if there is one.
        private func statement(
            about digest: ImageDigest, in repository: ImageRepository, _ proof: inout ImageProof
        ) async throws -> Found? {
            let all = try await referrers(of: digest, in: repository, [.statement, .envelope])
            var (read, signed) = (0, 0)
            for referrer in Self.newest(all) {
                guard let kind = referrer.artifactType.flatMap(Attestation.Kind.init),
                    let bytes = try await registry.content(of: referrer, in: repository, most: kind.mostBytes),
                    // A document of another program is passed over.
                    let (statement, signature) = try? self.read(bytes, kind)
                else { continue }
                read += 1
                if key != nil, signature != .verified { continue }
                signed += 1
                guard statement.subject.contains(where: { $0.matches(digest) }) else { continue }
                return Found(statement: statement, kind: kind, content: ImageDigest(of: bytes), signature: signature)
            }
            var problem =
                if read == 0 {
                    all.isEmpty
                        ? "The registry has no statement about \(digest)."
                        : "No statement that is attached to \(digest) can be read."
                } else if signed == 0 {
                    read == 1
                        ? "The statement about \(digest) is not signed by the key."
                        : "None of the \(read) statements about \(digest) is signed by the key."
                } else {
                    "The statement that is attached to \(digest) names other images."
                }
            if all.count > Self.mostRead {
                problem += " \(all.count) documents are attached to it, and only the newest \(Self.mostRead) were read."
            }
            proof.problems.append(problem)
            return nil
        }

        private func referrers(
            of digest: ImageDigest, in repository: ImageRepository, _ kinds: Set<Attestation.Kind>
        ) async throws -> [Descriptor] {
            try await registry.referrers(of: digest, in: repository)
                .filter { $0.artifactType.flatMap(Attestation.Kind.init).map(kinds.contains) ?? false }
        }

        /// The documents that are read. Anyone who can push may have attached any number of them.
        private static func newest(_ referrers: [Descriptor]) -> some Sequence<Descriptor> { referrers.suffix(mostRead).reversed() }

        private static let mostRead = 100

        private func read(_ bytes: [UInt8], _ kind: Attestation.Kind) throws(ImageProblem) -> (ProvenanceStatement, Signature) {
            guard kind == .envelope else { return (try ProvenanceStatement(bytes), .none) }
            let envelope = try SignedEnvelope(bytes)
            let isSigned = key?.hasSigned(envelope)
            return (try ProvenanceStatement(envelope.statement), isSigned.map { $0 ? .verified : .none } ?? .unchecked)
        }

        /// Compares one manifest with the statement.
        private func check(
            _ digest: ImageDigest, isAlone: Bool, _ found: Found, in repository: ImageRepository, _ proof: inout ImageProof
        ) async throws {
            let circumstances = found.statement.predicate.buildDefinition.internalParameters
            guard let record = circumstances.platforms.first(where: { $0.digest == digest }),
                found.statement.subject.contains(where: { $0.matches(digest) })
            else {
                proof.problems.append("The statement does not name the manifest \(digest) of the image.")
                return
            }
            var shown = Record(platform: record.platform, digest: digest, node: record.node, isolation: record.isolation)
            guard case .manifest(let manifest) = try await registry.manifest(ImageReference(repository, digest: digest)).content else {
                proof.problems.append("The manifest \(digest) is an index.")
                return
            }
            let configuration = try ImageConfiguration(try await registry.blob(manifest.configuration, of: repository))
            if configuration.platform.description != record.platform {
                proof.problems.append("The image \(digest) is for \(configuration.platform), and the statement says \(record.platform).")
            }
            if configuration.labels["vnd.odcs.build"] != "\(circumstances.build)" {
                proof.problems.append("The label of \(record.platform) does not name build \(circumstances.build).")
            }
            let base = configuration.labels["org.opencontainers.image.base.digest"]
            if let base, !proof.dependencies.contains(where: { $0.imageDigest?.description == base }) {
                proof.problems.append(
                    "The image for \(record.platform) is based on \(base.printable(most: 100)), which the statement does not name.")
            }
            if !isAlone, try await layer(found.content, found.kind, about: digest, in: repository) == nil {
                proof.problems.append("The image for \(record.platform) does not have the statement, only the list has it.")
            }
            shown.packages = try await packages(of: record, in: repository, &proof)
            proof.platforms.append(shown)
        }

        /// Returns the layer of the artifact that attaches a document to a manifest, or `nil` if none does.
        private func layer(
            _ document: ImageDigest, _ kind: Attestation.Kind, about digest: ImageDigest, in repository: ImageRepository
        ) async throws -> Descriptor? {
            for referrer in Self.newest(try await referrers(of: digest, in: repository, [kind])) {
                if let layer = try await registry.layer(of: referrer, in: repository), layer.digest == document { return layer }
            }
            return nil
        }

        /// Reads the SBOM that the statement names for a platform, and notes what is wrong with it.
        ///
        /// - Returns: The number of its packages.
        private func packages(
            of record: ProvenanceStatement.PlatformRecord, in repository: ImageRepository, _ proof: inout ImageProof
        ) async throws -> Int? {
            guard let sbom = record.sbom else {
                if record.contents == "read" { proof.problems.append("The statement names no SBOM for \(record.platform).") }
                return nil
            }
            guard let layer = try await layer(sbom, .bill, about: record.digest, in: repository) else {
                proof.problems.append("The image for \(record.platform) does not have the SBOM \(sbom), which the statement names.")
                return nil
            }
            do {
                let bytes = try await registry.blob(layer, of: repository, most: Attestation.Kind.bill.mostBytes)
                if let count = try SoftwareBill(bytes).packages(of: record.digest) { return count }
                proof.problems.append("The SBOM for \(record.platform) is about another image.")
            } catch let problem as ImageProblem {
                proof.problems.append("The SBOM for \(record.platform) cannot be used. \(problem.description)")
            }
            return nil
        }
    }
}
