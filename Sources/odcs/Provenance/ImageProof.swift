import ForeignText
import ImageModel
import Registry

/// An *image proof* is the statement about an image with the places where the registry has something else.
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
        /// The number of packages in the SBOM. Nil if there is none.
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
    /// What does not fit, in sentences. The image is as the statement says if there is none.
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
            let all = try await statements(about: digest, in: repository)
            let signed = key == nil ? all : all.filter { $0.signature == .verified }
            if let named = signed.last(where: { found in found.statement.subject.contains { $0.matches(digest) } }) { return named }
            proof.problems.append(
                all.isEmpty
                    ? "The registry has no statement about \(digest)."
                    : signed.isEmpty
                        ? "None of the \(all.count) statements about \(digest) is signed by the key."
                        : "The statement that is attached to \(digest) names other images.")
            return nil
        }

        private func statements(about digest: ImageDigest, in repository: ImageRepository) async throws -> [Found] {
            var statements: [Found] = []
            for referrer in try await registry.referrers(of: digest, in: repository).suffix(Self.mostStatements) {
                guard let kind = referrer.artifactType.flatMap(Attestation.Kind.init), kind != .bill,
                    let bytes = try await registry.content(of: referrer, in: repository)
                else { continue }
                // A document of another program is passed over.
                guard let (statement, signature) = try? read(bytes, kind) else { continue }
                statements.append(Found(statement: statement, content: ImageDigest(of: bytes), signature: signature))
            }
            return statements
        }

        private static let mostStatements = 100

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
                proof.problems.append("The image for \(record.platform) is based on \(base.quoted), which the statement does not name.")
            }
            let referrers = try await registry.referrers(of: digest, in: repository)
            if !isAlone, try await !has(found.content, among: referrers, in: repository) {
                proof.problems.append("The image for \(record.platform) does not have the statement, only the list has it.")
            }
            switch try await bill(among: referrers, of: digest, in: repository) {
            case .absent where record.contents == "read": proof.problems.append("The image for \(record.platform) has no SBOM.")
            case .wrong(let problem): proof.problems.append("The SBOM for \(record.platform) cannot be used. \(problem)")
            case .packages(let count): shown.packages = count
            case .absent: break
            }
            proof.platforms.append(shown)
        }

        /// Whether one of the referrers has that content.
        private func has(_ content: ImageDigest, among referrers: [Descriptor], in repository: ImageRepository) async throws -> Bool {
            for referrer in referrers.suffix(Self.mostStatements) where referrer.artifactType.flatMap(Attestation.Kind.init) != nil {
                let reference = ImageReference(repository, digest: referrer.digest)
                if case .manifest(let artifact) = try? await registry.manifest(reference).content,
                    artifact.layers.first?.digest == content
                {
                    return true
                }
            }
            return false
        }

        private enum Bill {
            case absent
            case wrong(String)
            case packages(Int)
        }

        private func bill(among referrers: [Descriptor], of digest: ImageDigest, in repository: ImageRepository) async throws -> Bill {
            guard let referrer = referrers.last(where: { $0.artifactType == Attestation.Kind.bill.rawValue }),
                let bytes = try await registry.content(of: referrer, in: repository)
            else { return .absent }
            do throws(ImageProblem) {
                let bill = try SoftwareBill(bytes)
                guard let count = bill.packages(of: digest) else { return .wrong("It is about another image.") }
                return .packages(count)
            } catch {
                return .wrong(error.description)
            }
        }
    }
}
