public import ComposeModel
public import Modules

extension ModuleBuildService {
    /// The scratch builds that the reference means, of the newest version among those that are done; never empty.
    ///
    /// Koji has their packages, in their tag, and no build of the module; their documents are had by ``finalDocuments(of:)``.
    public func scratchBuilds(of reference: ModuleReference) async throws(ComposeFailure) -> [ModuleBuild] {
        let isDone = { (record: ModuleBuildRecord) in record.isScratch && Self.states(.complete).contains(record.state) }
        let known = try await inFull(reference, []).read(from: connection) { Self.isComplete($0, upTo: isDone) }
            .filter { reference.includes($0.id) }
        let done = known.filter(isDone)
        guard !done.isEmpty else { throw noScratchBuild(of: reference, known) }
        return try reference.choice(of: done, id: \.id).map { record throws(ComposeFailure) in try build(record) }.sorted { $0.id < $1.id }
    }

    private func noScratchBuild(of reference: ModuleReference, _ known: [ModuleBuildRecord]) -> ComposeFailure {
        let why =
            if let scratch = known.first(where: \.isScratch) {
                " \(scratch.id) is in the state \(scratch.stateName)\(scratch.stateReason.map { " (\($0.shown))" } ?? ""); only those that are done "
                    + "are taken."
            } else if let plain = known.first {
                " \(plain.id) is none: it can be asked for as any other module."
            } else {
                ""
            }
        return ComposeFailure(
            .packageNotFound, "There is no scratch build of the module \(reference) in \(name).\(why)",
            details: [.init(package: reference.description)])
    }

    /// The documents of a scratch build as it was built, by architecture.
    public func finalDocuments(of build: ModuleBuild) async throws(ComposeFailure) -> [String: ModuleMetadata] {
        guard let number = build.scratchID else {
            throw ComposeFailure(
                .internal, "The documents of the module \(build.id) were looked for as those of a scratch build, which it is not.")
        }
        let documents = try await connection.decode([String: String].self, from: WebServiceQuestion("final-modulemd/\(number)"))
        var found: [String: ModuleMetadata] = [:]
        for (arch, yaml) in documents {
            let stream = try self.stream(of: build.id, isScratch: true, yaml: yaml)
            do {
                found[arch] = try ModuleMetadata(yaml: stream.document)
            } catch {
                throw unreadable(build.id, error.description)
            }
        }
        return found
    }
}

extension ModuleBuildFilter {
    /// Whatever is built completely.
    fileprivate static var complete: ModuleBuildFilter {
        var filter = ModuleBuildFilter()
        filter.includesDone = true
        return filter
    }
}
