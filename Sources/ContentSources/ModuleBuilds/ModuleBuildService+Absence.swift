import ComposeModel
public import Modules

extension ModuleBuildService {
    /// Returns why `reference` has no builds: all are scratch builds, are in states that do not count, or
    /// were made against other base modules. Returns `nil` if the service shows none of these reasons.
    public func reason(forAbsenceOf reference: ModuleReference, filter: ModuleBuildFilter) async throws -> String? {
        let known = try await inFull(reference, [], enough: limits.pageSize).read(from: connection).filter { reference.includes($0.id) }
        guard let newest = known.first(where: { !$0.isScratch }) else {
            if let scratch = known.first {
                return "The module \(scratch.id) in \(name) is a scratch build; a compose takes those that it names as scratch_modules."
            }
            guard let plain = reference.withoutDevel else { return nil }
            return try await self.reason(forAbsenceOf: plain, filter: filter)
        }
        if let excluded = known.first(where: { !$0.isScratch && Self.states(filter).contains($0.state) }) {
            guard let made = excluded.bases, !filter.accepts(made) else { return nil }
            let bases = made.map { "\($0.name):\($0.stream)" }.joined(separator: " and ")
            return
                "The module \(excluded.id) in \(name) was built against \(bases.isEmpty ? "no base module" : bases), and only those built against "
                + "\(filter.wantedBase) are taken."
        }
        let unready = known.filter { !$0.isScratch && $0.id.version == newest.id.version }.prefix(3)
        let states = unready.map { "\($0.id) is in the state \($0.stateName)\($0.stateReason.map { " (\($0.shown))" } ?? "")" }
        return "The module \(states.joined(separator: ", and ")) in \(name); only ready "
            + (filter.includesDone ? "and done modules are taken." : "modules are taken, and done ones with the flag include_done_modules.")
    }
}
