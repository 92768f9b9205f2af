/// A build, as Koji's database describes it.
public struct KojiBuild: Hashable, Sendable {
    public enum State: Int, Hashable, Sendable, CaseIterable {
        case building = 0, complete, deleted, failed, canceled

        /// The state's name in Koji. Example: "COMPLETE".
        public var name: String { "\(self)".uppercased() }
    }

    public var buildID = 0
    public var name = ""
    public var version = ""
    public var release = ""
    public var epoch: Int?
    public var nvr = ""
    /// The build's state, or `nil` for a state that this version does not know.
    public var state: State?
    /// The volume that holds the build's files: "DEFAULT", or the name of a directory below `vol`.
    public var volumeName = ""
    public var packageID = 0
    public var ownerName = ""
    public var taskID: Int?
    /// The event at which the build itself was recorded.
    public var creationEventID: Int?
    /// The tag that contains the build. It may be a parent of the requested tag. `nil` when the call named
    /// no tag.
    public var tagID: Int?
    public var tagName: String?
    /// The event at which the build was tagged. `nil` when the call named no tag.
    public var tagEvent: Int?
    /// The time in UTC, as Koji writes it. Example: `2018-04-05 12:39:59.500000+00:00`.
    public var completionTime: String?
    public var isDraft = false

    public init() {}
}

extension KojiBuild: AnswerRow {
    enum Member: String, CaseIterable {
        case buildID = "build_id"
        case completionTime = "completion_time"
        case createEvent = "create_event"
        case creationEventID = "creation_event_id"
        case draft, epoch, name, nvr
        case ownerName = "owner_name"
        case packageID = "package_id"
        case release, state
        case tagID = "tag_id"
        case tagName = "tag_name"
        case taskID = "task_id"
        case version
        case volumeName = "volume_name"
    }

    static var noun: String { "build" }

    mutating func take(_ member: Member, _ value: RowScalar) throws(RowScalar.Mismatch) {
        switch member {
        case .buildID: buildID = try value.int
        case .completionTime: completionTime = try value.string
        case .createEvent: tagEvent = try value.int
        case .creationEventID: creationEventID = try value.int
        case .draft: isDraft = try value.bool
        case .epoch: epoch = try value.int
        case .name: name = try value.string
        case .nvr: nvr = try value.string
        case .ownerName: ownerName = try value.string
        case .packageID: packageID = try value.int
        case .release: release = try value.string
        case .state: state = State(rawValue: try value.int)
        case .tagID: tagID = try value.int
        case .tagName: tagName = try value.string
        case .taskID: taskID = try value.int
        case .version: version = try value.string
        case .volumeName: volumeName = try value.string
        }
    }

    var missing: Member? {
        if buildID == 0 { return .buildID }
        if nvr.isEmpty { return .nvr }
        return volumeName.isEmpty ? .volumeName : nil
    }
}
