/** The contract against kinesalite: a second opinion, with its deviations. */
import { describeKinesisContract } from './kinesis-suite.ts';

describeKinesisContract('kinesalite');
