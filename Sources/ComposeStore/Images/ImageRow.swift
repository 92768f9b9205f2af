import Foundation
import ImageModel
import Postgres

extension Image {
    /// The columns of `images AS i` that ``init(_:)`` reads.
    static let columns: SQL = "i.id, i.owner, i.repository, i.definition, i.created_at, i.removed_at"

    init(_ row: PostgresRow) throws {
        self.init(
            id: try row.decode(Int.self, "id"), owner: try row.decode(String.self, "owner"),
            repository: try ImageReference(row.decode(String.self, "repository")).repository,
            definition: try row.decode(PostgresJSON<ImageDefinition>.self, "definition").value,
            timeAdded: try row.decode(Date.self, "created_at"), timeRemoved: try row.decode(Date?.self, "removed_at"))
    }
}
