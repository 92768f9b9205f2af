public import ComposeModel
public import Modules

extension ModuleBuildService {
    /// Returns the scratch builds that the reference means: all of the newest version that has a completed
    /// build. The result is never empty.
    ///
    /// Koji has the packages of these builds in their tag, but has no build of the module. Their documents
    /// come from ``finalDocuments(ofScratchBuild:_:)``.
    ///
    /// Throws `.packageNotFound` if no scratch build is complete.
    public func scratchBuilds(of reference: ModuleReference) async throws(ComposeFailure) -> [ModuleBuild] {
        let isDone = { (record: ModuleBuildRecord) in record.isScratch && Self.states(.complete).contains(record.state) }
        let known = try await inFull(reference, []).read(from: connection) { Self.isComplete($0, upTo: isDone) }
            .filter { reference.includes($0.id) }
        let done = known.filter(isDone)
        guard !done.isEmpty else { throw noScratchBuild(of: reference, known) }
        return try await builds(reference.choice(of: done, id: \.id)).sorted { $0.id < $1.id }
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

    /// Returns the final documents of a scratch build, one for each architecture. Throws `.metadataCorrupt`
    /// for a document that cannot be used.
    /// - Parameter number: The number of the build, ``ModuleBuild/scratchID``.
    public func finalDocuments(ofScratchBuild number: Int, _ id: NSVC) async throws(ComposeFailure) -> ModuleMetadata {
        let documents = try await connection.decode([String: String].self, from: WebServiceQuestion("final-modulemd/\(number)"))
        var streams: [ModuleStream] = []
        for (arch, yaml) in documents {
            let stream = try await self.stream(of: id, isScratch: true, yaml: yaml)
            do throws(ModuleMetadataError) {
                streams.append(try stream.completed(context: id.context, arch: arch))
            } catch {
                throw unreadable(id, error.description)
            }
        }
        return ModuleMetadata().with(streams: streams)
    }
}

extension ModuleBuildFilter {
    /// A filter for all builds that are complete, released or not.
    fileprivate static var complete: ModuleBuildFilter {
        var filter = ModuleBuildFilter()
        filter.includesDone = true
        return filter
    }
}
