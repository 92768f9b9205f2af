public import ImageModel
import Postgres

extension ComposeStore {
    /// Returns the node that would build each platform now, with the reason. The result is that of the
    /// claims, except that free slots of workers do not count.
    public func schedule(_ platforms: [Platform], on placement: Placement?) async throws -> [ScheduledPlatform] {
        let nodes = try await nodes(of: placement)
        return platforms.map { platform in
            let able = nodes.filter { $0.isEnabled && $0.state == .ready }
            let native = able.filter { $0.native.contains(platform) }
            let candidates = native.isEmpty ? able.filter { $0.emulated.contains(platform) } : native
            let free = candidates.filter { $0.busy < $0.slots }
            guard let node = (free.isEmpty ? candidates : free).min(by: { Self.comes($0, before: $1) }) else {
                return ScheduledPlatform(
                    platform: platform, node: nil, isNative: false, reason: Self.reason(noneBuilds: platform, nodes, placement))
            }
            var reason =
                native.isEmpty ? "It has an emulator for \(platform), and no node runs it without one." : "It runs \(platform) itself."
            if free.isEmpty {
                reason += " It is busy now."
            } else if free.count > 1 {
                let others = free.filter { $0.name != node.name }
                reason += others.contains { $0.weight == node.weight } ? " Others could build it as well." : " It has the greatest weight."
            }
            return ScheduledPlatform(platform: platform, node: node.name, isNative: !native.isEmpty, reason: reason)
        }
    }

    /// Returns the nodes of a placement, or those that are used if a build names none.
    ///
    /// - Throws: ``NoSuchFarm``.
    public func nodes(of placement: Placement?) async throws -> [FarmNode] {
        let all = try await nodes()
        switch placement {
        case .nodes(let names):
            if let wrong = names.first(where: { name in !all.contains { $0.name == name } }) {
                throw NoSuchFarm("node", wrong, known: all.map(\.name))
            }
            return all.filter { names.contains($0.name) }
        case .farm(let name):
            let farm = try await farm(name)
            return all.filter { farm.nodes.contains($0.name) }
        case nil:
            guard let farm = try await farms().first(where: \.isDefault) else { return all }
            return all.filter { farm.nodes.contains($0.name) }
        }
    }

    /// Returns why a platform of a build waits, if no node can build it. Empty for steps that wait for
    /// their turn only, and for builds that wait for others.
    public func waitingReasons(of build: Build) async throws -> [Int: String] {
        let waiting = build.steps.filter { $0.state == .wait && $0.blockedBy == 0 && $0.platform != nil && $0.stateReason == nil }
        guard !waiting.isEmpty else { return [:] }
        let placement = build.request.placement
        let nodes: [FarmNode]
        do {
            nodes = try await self.nodes(of: placement)
        } catch let error as NoSuchFarm {
            return Dictionary(uniqueKeysWithValues: waiting.map { ($0.id, "It waits, because its nodes are gone. \(error)") })
        }
        let labels = build.request.definition.requires
        var reasons: [Int: String] = [:]
        for step in waiting {
            guard let platform = step.platform else { continue }
            let able = nodes.filter {
                $0.isEnabled && $0.state == .ready && ($0.native.contains(platform) || $0.emulated.contains(platform))
            }
            if able.isEmpty {
                reasons[step.id] = "It waits. \(Self.reason(noneBuilds: platform, nodes, placement))"
            } else if !build.composes.isEmpty, !able.contains(where: \.showsComposes) {
                reasons[step.id] =
                    "It waits for a worker or a node of podman that builds \(platform), because docker cannot show the packages of composes "
                    + "to a build. Name the node local too."
            } else if !labels.isEmpty, try await !hasLabels(labels, platform, among: able.map(\.name)) {
                let text = labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ", ")
                reasons[step.id] = "It waits for a worker or node with \(text)."
            }
        }
        return reasons
    }

    private func hasLabels(_ labels: [String: String], _ platform: Platform, among nodes: [String]) async throws -> Bool {
        let rows = try await pool.query(
            """
            WITH \(fragment: Places.all)
            SELECT 1 AS x FROM places WHERE platform = \(platform.description) AND node = ANY(\(nodes)) AND \(PostgresJSON(labels)) <@ labels
            """)
        return !rows.isEmpty
    }

    private static func comes(_ a: FarmNode, before b: FarmNode) -> Bool {
        (-a.weight, a.busy - a.slots, a.name) < (-b.weight, b.busy - b.slots, b.name)
    }

    private static func reason(noneBuilds platform: Platform, _ nodes: [FarmNode], _ placement: Placement?) -> String {
        let place = placement?.farm.map { " of the farm \($0)" } ?? ""
        let details = nodes.prefix(5).map { node in
            let problem: String =
                if !node.isEnabled {
                    "is disabled" + (node.problem.map { " (\($0))" } ?? "")
                } else if node.state == .lost {
                    "is lost" + (node.problem.map { " (\($0))" } ?? "")
                } else if node.state == .new {
                    "was not tried yet"
                } else {
                    node.absent[platform].map { "cannot (\($0))" }
                        ?? "builds \((node.native + node.emulated).map(\.description).joined(separator: ", "))"
                }
            return "\(node.name) \(problem)"
        }
        let list = details.isEmpty ? "There is none." : "\(details.joined(separator: "; "))."
        return "No node\(place) builds \(platform). \(list)"
    }
}
