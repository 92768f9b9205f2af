import ComposeModel
import ComposeStore
import ContentSources
import Depsolve
import ForeignText
import ImageModel
import Repodata

extension ComposePipeline {
    /// The number of packages for which modules are asked.
    private static let mostHidden = 20

    /// Finds out why a compose does not have packages. The sources are read at the pins of the compose.
    /// If the compose was never pinned, they are read as they are now.
    ///
    /// Throws what does not belong to the question, for example an error of the database.
    ///
    /// - Parameter name: The name of a package, or a longer form. Example: `ed-1.20-3.x86_64`.
    func whyNot(_ question: Question, compose id: Int, _ name: String) async throws -> ComposeWhyNotDocument {
        do {
            return ComposeWhyNotDocument(compose: id, name: name, verdicts: try await verdicts(question, compose: id, name))
        } catch let failure as ComposeFailure where failure.code != .canceled && failure.code != .internal {
            return ComposeWhyNotDocument(compose: id, name: name, verdicts: [.init(.sourceUnusable, failure.message)])
        }
    }

    private func verdicts(_ question: Question, compose id: Int, _ name: String) async throws -> [ComposeWhyNotDocument.Verdict] {
        let request = question.request
        let specification = try await store.compose(id)?.specification
        let attempt = try ComposeAttempt(answering: question, pinnedBy: specification, configuration: configuration)
        defer { attempt.removeDirectory(logger: nil) }
        let content = try await packages(for: attempt).packages
        let whole = DepsolveRequest(request, in: content)
        let (candidates, resolution, hidden): (PackageCandidates, Resolution, [HiddenPackage])
        do throws(DepsolveError) {
            candidates = try await depsolver.candidates(of: name, in: whole)
            resolution = try await depsolver.resolve(whole)
            hidden = try await self.hidden(name, candidates, in: whole)
        } catch {
            throw ComposeFailure(error, in: content)
        }
        let chosen = Set(resolution.records.map(\.nevra))
        return AbsenceVerdicts(
            name: name, request: request, content: content, candidates: candidates, resolution: resolution, hidden: hidden,
            koji: try await absenceInKoji(of: name, candidates, from: content, for: request),
            unsigned: try await unsigned(name, among: chosen, or: candidates, from: content, for: request)
        ).all()
    }

    /// Returns the packages of that name that modules hide.
    private func hidden(
        _ name: String, _ candidates: PackageCandidates, in whole: DepsolveRequest
    ) async throws(DepsolveError) -> [HiddenPackage] {
        guard let modules = whole.modules, !modules.isEmpty else { return [] }
        var single = whole
        // A version that is hidden while another one is visible is found by its whole name only.
        single.packages = [name] + candidates.packages.prefix(Self.mostHidden).map(\.package.description)
        single.noDeps = true
        single.checkInstallability = false
        single.modules?.included = []
        let absent = try await depsolver.resolve(single).absent
        return absent.flatMap(\.hidden).uniqued()
    }

    private func absenceInKoji(
        of name: String, _ candidates: PackageCandidates, from content: PackageSet, for request: ComposeRequest
    ) async throws -> KojiAbsence? {
        guard let reader = sources.koji, let tag = content.koji?.pin.tag else { return nil }
        // The longer forms of a name cannot be asked for.
        let package = candidates.packages.first { !$0.isLookaside }
        return try await reader.source.absence(
            of: package?.package.name ?? name, builtFrom: package?.sourceName, in: tag,
            besides: (content.koji?.packages ?? []).map(\.nevra)
        ) { DepsolveRequest.pattern(name, mayMean: $0) }
    }

    /// Returns the packages of that name that the compose has, or would have if they were requested, and
    /// that none of the requested keys has signed.
    private func unsigned(
        _ name: String, among chosen: Set<NEVRA>, or candidates: PackageCandidates, from content: PackageSet, for request: ComposeRequest
    ) async throws -> [SignedChoice.Unsigned] {
        guard let reader = sources.koji, let listed = content.koji else { return [] }
        let arches = Set(DepsolveRequest.packageArches(of: request.arches))
        let meant = listed.packages.filter {
            arches.contains($0.nevra.arch) && !$0.nevra.isSource && DepsolveRequest.pattern(name, mayMean: $0.nevra)
        }
        let inside = meant.filter { chosen.contains($0.nevra) }
        return try await reader.source.unsigned(
            among: Array((inside.isEmpty ? meant : inside).prefix(AbsenceVerdicts.most)), sigkeys: request.sigkeys)
    }
}
