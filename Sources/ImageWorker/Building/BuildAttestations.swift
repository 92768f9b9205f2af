import ComposeStore
import ImageModel
import Registry

/// The *build attestations* are the documents about a finished build: the provenance statement, and the
/// software bill of each platform. They are attached to the manifest list and to the manifests, before
/// a moving tag shows the list.
struct BuildAttestations {
    let store: ComposeStore
    let registry: RegistryClient
    /// The service that builds. Example: `https://odcs.example.org/`.
    let builder: String
    /// Signs the statement. Nil leaves it without a signature.
    let key: ProvenanceKey?

    /// The records of a build that its documents need.
    struct Records: Sendable {
        let contents: [Platform: Contents]
        let origins: [Platform: StepOrigin]
        let causes: [BuildCause]
    }

    /// Returns the records of a build. They do not change while its manifest list is written.
    private func records(of inputs: StepInputs) async throws -> Records {
        var contents: [Platform: Contents] = [:]
        for step in inputs.build.steps {
            guard let platform = step.platform, let digest = step.digest else { continue }
            contents[platform] = try await store.contents(of: digest)
        }
        return Records(contents: contents, origins: inputs.origins, causes: inputs.causes)
    }

    /// The documents about one manifest.
    struct Documents: Sendable {
        let subject: Descriptor
        let attestations: [Attestation]
    }

    /// Makes all documents, and uploads their contents. No client finds them before they are attached.
    ///
    /// - Parameter isFirst: Whether no other attempt can have uploaded them.
    func upload(
        about list: ManifestDocument, _ inputs: StepInputs, isFirst: Bool
    ) async throws -> [Documents] {
        let repository = inputs.image.repository
        let documents = try await self.documents(about: list, of: inputs.build, try await records(of: inputs), in: repository)
        try await upload(Set(documents.flatMap(\.attestations)), to: repository, isFirst: isFirst)
        return documents
    }

    /// Attaches all documents. Each attempt attaches the same ones.
    func attach(_ documents: [Documents], in repository: ImageRepository) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for document in documents {
                group.addTask {
                    try await registry.attach(document.attestations.map { try $0.artifact(about: document.subject) }, to: repository)
                }
            }
            try await group.waitForAll()
        }
    }

    private func documents(
        about list: ManifestDocument, of build: Build, _ records: Records, in repository: ImageRepository
    ) async throws -> [Documents] {
        guard case .index(let index) = list.content else { return [] }
        var bills: [ImageDigest: Attestation] = [:]
        for contents in records.contents.values {
            guard let bill = SoftwareBill(contents, of: repository, created: build.timeSubmitted) else { continue }
            bills[contents.digest] = Attestation(.bill, bill.bytes)
        }
        let statement = ProvenanceStatement(
            build,
            .init(
                repository: repository, list: list.digest, origins: records.origins, contents: records.contents,
                bills: bills.mapValues(\.descriptor.digest), causes: records.causes, builder: builder))
        let attestation = try await attestation(of: statement.bytes, about: list.digest, in: repository)
        return [Documents(subject: list.descriptor(), attestations: [attestation])]
            + index.manifests.map { Documents(subject: $0, attestations: [attestation] + [bills[$0.digest]].compactMap(\.self)) }
    }

    /// Returns the statement in the form in which it is attached. A signature has other bytes each time, so
    /// the envelope of an earlier attempt is used again.
    private func attestation(
        of statement: [UInt8], about list: ImageDigest, in repository: ImageRepository
    ) async throws -> Attestation {
        guard let key else { return Attestation(.statement, statement) }
        let envelopes = try await registry.referrers(of: list, in: repository, artifactType: Attestation.Kind.envelope.rawValue)
        // Anyone who can push may have attached any number of them.
        for referrer in envelopes.suffix(100) {
            // A document of another program is passed over.
            guard let bytes = try await registry.content(of: referrer, in: repository),
                let envelope = try? SignedEnvelope(bytes), try envelope.statement == statement, key.publicKey.hasSigned(envelope)
            else { continue }
            return Attestation(.envelope, bytes)
        }
        return Attestation(.envelope, try key.sign(statement).bytes)
    }

    private func upload(_ attestations: Set<Attestation>, to repository: ImageRepository, isFirst: Bool) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for attestation in attestations {
                group.addTask {
                    try await registry.upload(attestation.descriptor, to: repository, isNew: isFirst, BytesContent(attestation.bytes))
                }
            }
            let empty = Attestation.configuration
            group.addTask { try await registry.upload(Descriptor(of: empty, mediaType: .empty), to: repository, BytesContent(empty)) }
            try await group.waitForAll()
        }
    }
}
