package concoursefake

// What follows are the answers of Concourse 7.6, member by member and in its
// order (its atc/*.go). Zero members are left out where it leaves them out.

type infoAnswer struct {
	Version       string          `json:"version"`
	WorkerVersion string          `json:"worker_version"`
	FeatureFlags  map[string]bool `json:"feature_flags"`
	ExternalURL   string          `json:"external_url,omitempty"`
	ClusterName   string          `json:"cluster_name,omitempty"`
}

type tokenAnswer struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int    `json:"expires_in"`
	IDToken     string `json:"id_token"`
}

type tokenRefusal struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
}

type userAnswer struct {
	Sub           string              `json:"sub"`
	Name          string              `json:"name"`
	UserID        string              `json:"user_id"`
	UserName      string              `json:"user_name"`
	Email         string              `json:"email"`
	IsAdmin       bool                `json:"is_admin"`
	IsSystem      bool                `json:"is_system"`
	Teams         map[string][]string `json:"teams"`
	Connector     string              `json:"connector"`
	DisplayUserID string              `json:"display_user_id"`
}

type pipelineAnswer struct {
	ID           int            `json:"id"`
	Name         string         `json:"name"`
	InstanceVars map[string]any `json:"instance_vars,omitempty"`
	Paused       bool           `json:"paused"`
	Public       bool           `json:"public"`
	Archived     bool           `json:"archived"`
	TeamName     string         `json:"team_name"`
	LastUpdated  int64          `json:"last_updated,omitempty"`
}

// jobSummary is a job in a list; builds are summaries there.
type jobSummary struct {
	ID              int            `json:"id"`
	Name            string         `json:"name"`
	TeamName        string         `json:"team_name"`
	PipelineID      int            `json:"pipeline_id"`
	PipelineName    string         `json:"pipeline_name"`
	InstanceVars    map[string]any `json:"pipeline_instance_vars,omitempty"`
	Paused          bool           `json:"paused,omitempty"`
	FinishedBuild   *buildSummary  `json:"finished_build,omitempty"`
	NextBuild       *buildSummary  `json:"next_build,omitempty"`
	TransitionBuild *buildSummary  `json:"transition_build,omitempty"`
	Inputs          []inputSummary `json:"inputs,omitempty"`
	Outputs         []outputAnswer `json:"outputs,omitempty"`
}

type buildSummary struct {
	ID           int            `json:"id"`
	Name         string         `json:"name"`
	Status       string         `json:"status"`
	StartTime    int64          `json:"start_time,omitempty"`
	EndTime      int64          `json:"end_time,omitempty"`
	TeamName     string         `json:"team_name"`
	PipelineID   int            `json:"pipeline_id"`
	PipelineName string         `json:"pipeline_name"`
	InstanceVars map[string]any `json:"pipeline_instance_vars,omitempty"`
	JobName      string         `json:"job_name,omitempty"`
}

type inputSummary struct {
	Name     string   `json:"name"`
	Resource string   `json:"resource"`
	Passed   []string `json:"passed,omitempty"`
	Trigger  bool     `json:"trigger,omitempty"`
}

type outputAnswer struct {
	Name     string `json:"name"`
	Resource string `json:"resource"`
}

// jobAnswer is a job asked for by name; builds are whole there.
type jobAnswer struct {
	ID            int            `json:"id"`
	Name          string         `json:"name"`
	TeamName      string         `json:"team_name"`
	PipelineID    int            `json:"pipeline_id"`
	PipelineName  string         `json:"pipeline_name"`
	InstanceVars  map[string]any `json:"pipeline_instance_vars,omitempty"`
	Paused        bool           `json:"paused,omitempty"`
	NextBuild     *buildAnswer   `json:"next_build"`
	FinishedBuild *buildAnswer   `json:"finished_build"`
	Inputs        []inputAnswer  `json:"inputs,omitempty"`
	Outputs       []outputAnswer `json:"outputs,omitempty"`
}

type inputAnswer struct {
	Name     string   `json:"name"`
	Resource string   `json:"resource"`
	Trigger  bool     `json:"trigger"`
	Passed   []string `json:"passed,omitempty"`
}

type buildAnswer struct {
	ID           int            `json:"id"`
	TeamName     string         `json:"team_name"`
	Name         string         `json:"name"`
	Status       string         `json:"status"`
	APIURL       string         `json:"api_url"`
	JobName      string         `json:"job_name,omitempty"`
	ResourceName string         `json:"resource_name,omitempty"`
	PipelineID   int            `json:"pipeline_id,omitempty"`
	PipelineName string         `json:"pipeline_name,omitempty"`
	InstanceVars map[string]any `json:"pipeline_instance_vars,omitempty"`
	StartTime    int64          `json:"start_time,omitempty"`
	EndTime      int64          `json:"end_time,omitempty"`
	RerunNumber  int            `json:"rerun_number,omitempty"`
	RerunOf      *rerunAnswer   `json:"rerun_of,omitempty"`
	CreatedBy    string         `json:"created_by,omitempty"`
}

type rerunAnswer struct {
	ID   int    `json:"id,omitempty"`
	Name string `json:"name,omitempty"`
}

type preparationAnswer struct {
	BuildID             int               `json:"build_id"`
	PausedPipeline      string            `json:"paused_pipeline"`
	PausedJob           string            `json:"paused_job"`
	MaxRunningBuilds    string            `json:"max_running_builds"`
	Inputs              map[string]string `json:"inputs"`
	InputsSatisfied     string            `json:"inputs_satisfied"`
	MissingInputReasons map[string]string `json:"missing_input_reasons"`
}

type resourcesAnswer struct {
	Inputs  []takenAnswer `json:"inputs"`
	Outputs []madeAnswer  `json:"outputs"`
}

type takenAnswer struct {
	Name            string            `json:"name"`
	Version         map[string]string `json:"version"`
	PipelineID      int               `json:"pipeline_id"`
	FirstOccurrence bool              `json:"first_occurrence"`
}

type madeAnswer struct {
	Name    string            `json:"name"`
	Version map[string]string `json:"version"`
}

type versionAnswer struct {
	ID      int               `json:"id"`
	Version map[string]string `json:"version"`
	Enabled bool              `json:"enabled"`
}

type workerAnswer struct {
	Addr             string   `json:"addr"`
	BaggageclaimURL  string   `json:"baggageclaim_url"`
	ActiveContainers int      `json:"active_containers"`
	ActiveVolumes    int      `json:"active_volumes"`
	ActiveTasks      int      `json:"active_tasks"`
	ResourceTypes    []string `json:"resource_types"`
	Platform         string   `json:"platform"`
	Tags             []string `json:"tags"`
	Team             string   `json:"team"`
	Name             string   `json:"name"`
	Version          string   `json:"version"`
	StartTime        int64    `json:"start_time"`
	Ephemeral        bool     `json:"ephemeral"`
	State            string   `json:"state"`
}

type refusalAnswer struct {
	Errors []string `json:"errors"`
}
