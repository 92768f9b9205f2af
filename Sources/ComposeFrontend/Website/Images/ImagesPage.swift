import ForeignText
import ImageModel

/// The list of images.
struct ImagesPage: Sendable {
    struct Row: Sendable {
        let id: Int
        let repository, owner, platforms: String
        let build: NumberedState?
    }

    let rows: [Row]
    let hasRows: Bool
    let pager: Pager

    init(_ images: [ImageDocument], _ pager: Pager) {
        rows = images.map { image in
            Row(
                id: image.id, repository: image.repository.shown(200), owner: image.owner.shown(100),
                platforms: image.definition.platforms.joined(separator: ", ").shown(200),
                build: image.latestBuild.map { NumberedState(id: $0.id, state: ShownState($0.stateName)) })
        }
        hasRows = !rows.isEmpty
        self.pager = pager
    }
}

/// A number with the state of the object that has it.
struct NumberedState: Sendable {
    let id: Int
    let state: ShownState
}

/// The page of one image: its tags, its platforms and its newest builds.
struct ImagePage: Sendable {
    struct TagRow: Sendable {
        let tag, digest: String
        let build: Int?
        let seen: ShownTime
    }

    struct ManifestRow: Sendable {
        let platform, digest, contents: String
        let problem: String?
    }

    let id: Int
    let repository: String
    let isRemoved: Bool
    let facts: [Fact]
    let tags: [TagRow]
    let manifests: [ManifestRow]
    let builds: [BuildRow]
    let hasTags, hasManifests, hasBuilds: Bool

    init(_ image: ImageDocument, builds: [Build]) {
        id = image.id
        repository = image.repository.shown(300)
        isRemoved = image.timeRemoved != nil
        var facts = [
            Fact("Owner", image.owner.shown(200)), Fact("Platforms", image.definition.platforms.joined(separator: ", ").shown(300)),
        ]
        if let git = image.definition.source.git {
            facts.append(Fact("Source", "\(git.url) \(git.reference) \(git.folder)".shown(600)))
        } else if let archive = image.definition.source.archive {
            facts.append(Fact("Source", "context \(archive)".shown(200)))
        } else {
            facts.append(Fact("Source", "a Containerfile"))
        }
        facts.append(Fact("Added", ShownTime(iso: image.timeAdded)))
        self.facts = facts
        tags = image.tags.prefix(100).map {
            TagRow(tag: $0.tag.shown(128), digest: "\($0.digest)".shown(80), build: $0.build, seen: ShownTime(iso: $0.timeSeen))
        }
        manifests = image.manifests.map {
            ManifestRow(
                platform: $0.platform.shown(60), digest: "\($0.digest)".shown(80), contents: $0.contents.shown(40),
                problem: $0.problem?.shown(300))
        }
        self.builds = builds.map { BuildRow($0, repository: "") }
        (hasTags, hasManifests, hasBuilds) = (!tags.isEmpty, !manifests.isEmpty, !builds.isEmpty)
    }
}

/// A build as a row of a list.
struct BuildRow: Sendable {
    let id, image: Int
    let state: ShownState
    let repository, owner: String
    let submitted: ShownTime

    init(_ build: Build, repository: String) {
        id = build.id
        image = build.image
        state = ShownState(build.state.name)
        self.repository = repository.shown(200)
        owner = build.owner.shown(100)
        submitted = ShownTime(build.timeSubmitted)
    }
}
