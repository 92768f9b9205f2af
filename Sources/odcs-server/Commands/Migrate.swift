import ArgumentParser
import ComposeStore
import Postgres
import ServiceConfiguration
import ServiceLog

struct Migrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Bring the database up to this version. An empty one gets all tables, an older one gets the missing parts.")

    @OptionGroup var options: ConfigurationOptions

    func run() async throws {
        let configuration = try options.load()
        let logger = configuration.log.begin()
        CreationMask.letOthersRead()
        let database = try await Database.start(configuration, as: .visitor, logger: logger)
        let outcome: MigrationOutcome
        do {
            outcome = try await Schema.migrate(database.pool)
        } catch {
            await database.close(logger: logger)
            throw error
        }
        await database.close(logger: logger)
        switch outcome {
        case .created(let version): print("The schema \(configuration.database.schema) was created, version \(version).")
        case .upgraded(let from, let to): print("The schema \(configuration.database.schema) was upgraded from version \(from) to \(to).")
        case .current: print("The schema \(configuration.database.schema) is up to date already.")
        }
    }
}
